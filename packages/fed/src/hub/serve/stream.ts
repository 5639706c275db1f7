import type { ServerResponse } from "node:http";
import { untilAborted } from "#base/abort.ts";
import { type Clock, type Timer, withDeadline } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { streamType } from "#wire/client.ts";
import { problemOf } from "#wire/problem.ts";
import { encodeSse, sseHeartbeat, sseType } from "#wire/sse.ts";
import type { ServeLimits } from "./limit.ts";

/** The answers that come piece by piece, for as long as they may take. */
export type Streamed = "many" | "events" | "lines";

export interface StreamCall {
  readonly answer: Streamed;
  readonly items: AsyncIterable<unknown>;
  /** Ends the stream, and is what `items` listens to: aborted when the caller has gone or may no longer see this. */
  readonly controller: AbortController;
  /** Asked at every heartbeat; false ends the stream, and so does a fault. */
  stillMay(): boolean;
  readonly trace: Trace;
  /** What went wrong as the caller may know it. */
  tellable(thrown: unknown): Fault;
}

interface Format {
  readonly type: string;
  item(value: unknown): string | Uint8Array;
  fault(fault: Fault): string;
  /** So that nobody between takes a quiet stream for a dead one. */
  readonly beat: string;
}

const formats: Readonly<Record<Streamed, Format>> = {
  many: {
    type: streamType,
    item: (value) => `${JSON.stringify({ item: value })}\n`,
    fault: (fault) => `${JSON.stringify({ problem: problemOf(fault) })}\n`,
    beat: "\n",
  },
  events: {
    type: sseType,
    item: eventFrame,
    // A reader asks again, and is told as an answer.
    fault: () => "",
    beat: sseHeartbeat,
  },
  lines: {
    type: "text/plain; charset=utf-8",
    item: (value) => `${value}\n`,
    fault: ({ message }) => `fault ${message.replaceAll(/[^\x20-\x7e]/g, "?")}\n`,
    beat: "\n",
  },
};

/** One event is made into bytes once, however many read it. */
const frames = new WeakMap<object, Uint8Array>();

/** An event of the log carries its sequence as id, so that a reader can go on after it. */
function eventFrame(item: unknown): string | Uint8Array {
  const { event } = item as { readonly event?: { readonly sequence: number } };
  if (event === undefined) return encodeSse(JSON.stringify(item));
  const known = frames.get(event);
  if (known !== undefined) return known;
  const frame = Buffer.from(encodeSse(JSON.stringify(item), event.sequence));
  frames.set(event, frame);
  return frame;
}

export const streamTypeOf = (answer: Streamed): string => formats[answer].type;

/**
 * The same items, begun: throws what goes wrong before the first of them. Waits for it no longer than `firstLineMs`, so
 * that a quiet stream has a head.
 */
export async function beginItems(
  items: AsyncIterable<unknown>,
  clock: Clock,
  { firstLineMs }: Pick<ServeLimits, "firstLineMs">,
  signal: AbortSignal,
): Promise<AsyncIterable<unknown>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  const quiet = Promise.withResolvers<void>();
  const timer = clock.after(firstLineMs, quiet.resolve);
  try {
    await untilAborted(Promise.race([first, quiet.promise]), signal);
    // Items that end because of the signal do not end well.
    signal.throwIfAborted();
  } catch (thrown) {
    leave(iterator);
    throw thrown;
  } finally {
    timer.cancel();
  }
  let begun = false;
  const next = () => {
    if (begun) return iterator.next();
    begun = true;
    return first;
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: async () => (await iterator.return?.()) ?? noMore }) };
}

const noMore = { done: true, value: undefined } as const;

/** Not awaited: items that wait for the next one end when the signal does. */
function leave(iterator: AsyncIterator<unknown>): void {
  iterator.return?.().then(undefined, () => undefined);
}

/**
 * Writes the items as they come, and a heartbeat every now and then, until they end or the controller aborts. Never
 * keeps more for a reader than the socket does: one that takes nothing for too long is cut off. The head is written already.
 */
export async function writeStream(
  response: ServerResponse,
  call: StreamCall,
  clock: Clock,
  limits: ServeLimits,
): Promise<void> {
  const { controller } = call;
  const { signal } = controller;
  const format = formats[call.answer];
  const stopBeats = startBeats(response, call, clock, limits.heartbeatMs);
  const iterator = call.items[Symbol.asyncIterator]();
  try {
    response.write(format.beat);
    for (;;) {
      const next = await untilAborted(iterator.next(), signal);
      // Items that end because of the signal do not end well.
      signal.throwIfAborted();
      if (next.done) break;
      if (!response.write(format.item(next.value))) await drained(response, clock, limits.slowReaderMs, signal);
    }
  } catch (thrown) {
    if (!response.destroyed) response.write(format.fault(call.tellable(thrown)));
  } finally {
    stopBeats();
    controller.abort(new Error("the stream has ended"));
    leave(iterator);
    response.end();
  }
}

/** Heartbeats come whether the stream is busy or quiet, because with each it is asked whether it may go on. */
function startBeats(response: ServerResponse, call: StreamCall, clock: Clock, everyMs: number): () => void {
  let timer: Timer;
  const beat = () => {
    const ending = whyEnd(call);
    if (ending !== undefined) return call.controller.abort(ending);
    if (!response.writableNeedDrain) response.write(formats[call.answer].beat);
    timer = clock.after(everyMs, beat);
  };
  timer = clock.after(everyMs, beat);
  return () => timer.cancel();
}

/** Why the stream may not go on. Never throws: in a timer nobody would catch it, and the hub would end. */
function whyEnd({ stillMay, trace }: StreamCall): Fault | undefined {
  try {
    if (stillMay()) return undefined;
    return new Fault("unauthenticated", "you are no longer signed in, or may no longer see this", {
      hint: "Sign in again.",
    });
  } catch (thrown) {
    trace.warn("a stream was ended: whether its caller may still see it cannot be read", {
      reason: toFault(thrown).message,
    });
    return new Fault("unreachable", "the hub cannot look whether you may still see this", {
      hint: "Try again in a moment.",
      cause: thrown,
    });
  }
}

async function drained(response: ServerResponse, clock: Clock, limitMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("drain", resolve);
  try {
    await withDeadline(clock, limitMs, "the reader of a stream", () => promise, signal);
  } catch (thrown) {
    // Its own: the reader takes nothing, so it could not be told either.
    if (!signal.aborted) response.destroy();
    throw thrown;
  } finally {
    response.off("drain", resolve);
  }
}

/** Counts the streams that are open, in all and of each caller. */
export function makeSeats(limits: Pick<ServeLimits, "streams" | "streamsOfOne">) {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    /** Fault `limited` when there is no seat left; the returned function gives it back. */
    take(who: string): () => void {
      const his = taken.get(who) ?? 0;
      if (all >= limits.streams) throw noSeat("the hub has", all);
      if (his >= limits.streamsOfOne) throw noSeat("you have", his);
      all++;
      taken.set(who, his + 1);
      return () => {
        all--;
        const left = (taken.get(who) ?? 1) - 1;
        if (left > 0) taken.set(who, left);
        else taken.delete(who);
      };
    },
  };
}

function noSeat(who: string, open: number): Fault {
  return new Fault("limited", `${who} ${open} streams open, and more are not served`, {
    hint: "Close a page, or a command that follows something.",
    details: { retryAfterSeconds: 5 },
  });
}
