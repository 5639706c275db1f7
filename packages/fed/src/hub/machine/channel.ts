import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Collector, RawTick } from "#port/collector.ts";
import type { Shell } from "#port/shell.ts";
import { openTalk, type Talk } from "./talk.ts";

export interface Channel {
  /** `sent` is called when the question goes out. */
  ask(sequence: number, sections: readonly string[], sent: () => void): void;
  /** What is under way will not come. */
  giveUp(): void;
  close(): Promise<void>;
}

export interface Ears {
  heard(tick: RawTick): void;
  failed(reason: string): void;
  broken(reason: string): void;
}

export interface ChannelNeeds {
  readonly machine: string;
  readonly shell: Shell;
  readonly collector: Collector;
  readonly trace: Trace;
  makeMark(): string;
}

/** Of what was begun before: a machine that ends nothing is asked no more until it does. */
const mostClosing = 2;

/** The program on a machine: begun when it is asked first, and again after it has ended. */
export function openChannel(needs: ChannelNeeds, ears: Ears): Channel {
  const { collector, shell } = needs;
  let talk: Talk | undefined;
  let current: AbortController | undefined;
  const closing = new Set<Promise<unknown>>();

  const drop = (one: Talk) => {
    const closed = one.close();
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
  };

  async function begin(): Promise<Talk | undefined> {
    const stop = new AbortController();
    current = stop;
    const opened = await openTalk(
      {
        ...{ shell, collector, mark: needs.makeMark(), heard: ears.heard },
        ended(why, broken) {
          if (current !== stop) return;
          [talk, current] = [undefined, undefined];
          if (broken) ears.broken(why);
          else ears.failed(why);
        },
      },
      stop.signal,
    );
    if (current === stop) return opened;
    drop(opened);
    return undefined;
  }

  function giveUp() {
    current?.abort(new Fault("unreachable", "it is begun anew"));
    current = undefined;
    if (talk) drop(talk);
    talk = undefined;
  }

  return {
    ask(sequence, sections, sent) {
      const send = (to: Talk) => {
        sent();
        to.ask(sequence, sections);
      };
      if (talk) return send(talk);
      if (closing.size >= mostClosing) return ears.failed("what ran there before has not ended yet");
      const opening = begin();
      const mine = current;
      opening.then(
        (opened) => {
          if (opened === undefined || current !== mine) return;
          talk = opened;
          send(opened);
        },
        (thrown) => {
          if (current !== mine) return;
          current = undefined;
          ears.failed(reasonOf(thrown));
        },
      );
    },
    giveUp,
    async close() {
      giveUp();
      await Promise.all(closing);
    },
  };

  function reasonOf(thrown: unknown): string {
    const fault = toFault(thrown);
    if (fault.code === "internal")
      needs.trace.error("a machine could not be asked", { machine: needs.machine, reason: fault.message });
    return fault.hint === undefined ? fault.message : `${fault.message}. ${fault.hint}`;
  }
}
