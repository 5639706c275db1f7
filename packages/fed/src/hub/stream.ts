import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { streamType } from "#wire/client.ts";
import { problemOf } from "#wire/problem.ts";
import { eventFrame, sseType } from "#wire/sse.ts";
import { withBeats } from "./beat.ts";

export interface Streams {
  /** Answers with items as they come. `stillMay` is asked at every heartbeat; false ends the stream. */
  send(
    reply: FastifyReply,
    answer: "many" | "events",
    items: AsyncIterable<unknown>,
    stillMay: () => Promise<boolean>,
  ): FastifyReply;
}

export interface StreamOptions {
  readonly clock: Clock;
  /** At the same time. */
  readonly streams: number;
  readonly heartbeatMs: number;
  readonly slowReaderMs: number;
}

interface Format {
  readonly type: string;
  item(value: unknown): string;
  fault(fault: Fault): string;
  /** So that nobody between takes a quiet stream for a dead one. */
  readonly beat: string;
}

const formats: Readonly<Record<"many" | "events", Format>> = {
  many: {
    type: streamType,
    item: (value) => `${JSON.stringify({ item: value })}\n`,
    fault: (fault) => `${JSON.stringify({ problem: problemOf(fault) })}\n`,
    beat: "\n",
  },
  events: {
    type: sseType,
    item: eventFrame,
    fault: (fault) => `event: problem\ndata: ${JSON.stringify(problemOf(fault))}\n\n`,
    beat: ": beat\n\n",
  },
};

export function makeStreams(options: StreamOptions): Streams {
  const { clock, slowReaderMs } = options;
  let open = 0;

  async function* encode(
    items: AsyncIterable<unknown>,
    format: Format,
    stillMay: () => Promise<boolean>,
    cutOff: () => void,
  ): AsyncIterable<string> {
    open++;
    // A yield that does not come back is a reader that takes nothing.
    const give = async function* (text: string) {
      const timer = clock.after(slowReaderMs, cutOff);
      try {
        yield text;
      } finally {
        timer.cancel();
      }
    };
    try {
      yield* give(format.beat);
      for await (const next of withBeats(items, clock, options.heartbeatMs)) {
        if (next.kind === "item") yield* give(format.item(next.value));
        else if (await stillMay()) yield* give(format.beat);
        else throw new Fault("unauthenticated", "you are no longer signed in, or may no longer see this");
      }
    } catch (thrown) {
      yield* give(format.fault(toFault(thrown)));
    } finally {
      open--;
    }
  }

  return {
    send(reply, answer, items, stillMay) {
      if (open >= options.streams) {
        throw new Fault("limited", `the hub already serves ${open} streams`, {
          hint: "Close a page or a `--follow`.",
          details: { retryAfterSeconds: 5 },
        });
      }
      const format = formats[answer];
      const text = encode(items, format, stillMay, () => reply.raw.destroy());
      return reply
        .type(format.type)
        .header("x-accel-buffering", "no")
        .send(Readable.from(text, { objectMode: false, highWaterMark: 64 * 1024 }));
    },
  };
}
