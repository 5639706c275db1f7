import { type Clock, sleep } from "#base/clock.ts";
import type { Collector, RawTick } from "#port/collector.ts";
import type { Shell } from "#port/shell.ts";
import { openTalk } from "./talk.ts";

export interface AsideNeeds {
  readonly shell: Shell;
  readonly collector: Collector;
  readonly clock: Clock;
  makeMark(): string;
  heard(tick: RawTick): void;
  /** A section that could not be told, and why. */
  failed(section: string, reason: string): void;
}

/**
 * Sections that may take long (which updates wait, say) are asked one at a time, each in a channel that ends with it: neither the
 * machine's next tick nor what is known of its state waits for them.
 */
export interface Aside {
  /** Asks what is due, unless something is under way. Called when the machine has answered. */
  turn(): void;
  /** Everything is due now. */
  hurry(): void;
  close(): Promise<void>;
}

/** From its begin on, and more for machines that are asked later than others. */
const firstMs = 3_000;
const spreadMs = 20_000;
const limitMs = 120_000;
/** One whose connection was lost is asked again after this. */
const againMs = 60_000;

/** `part`, from 0 to 1, spreads the first questions over the fleet. */
export function openAside(needs: AsideNeeds, part: number): Aside {
  const { collector, clock } = needs;
  const slow = collector.sections.filter((section) => section.slow);
  const beganMs = clock.tickMs() + firstMs + part * spreadMs;
  const nextMs = new Map(slow.map(({ name }) => [name, beganMs]));
  const stop = new AbortController();
  let underWay: Promise<void> | undefined;

  async function ask(name: string, everyMs: number): Promise<void> {
    const told = Promise.withResolvers<"told" | { readonly lost: string } | { readonly wrong: string }>();
    const late = new AbortController();
    const signal = AbortSignal.any([stop.signal, late.signal]);
    const limit = sleep(clock, limitMs, signal).then(
      () => ({ wrong: `did not end within ${limitMs / 60_000} min` }),
      () => ({ lost: "the machine is asked no more" }),
    );
    try {
      const talk = await openTalk(
        {
          ...{ shell: needs.shell, collector, mark: needs.makeMark() },
          heard(tick) {
            if (tick.sections.some((section) => section.name !== name))
              return told.resolve({ wrong: "it told something else" });
            needs.heard(tick);
            told.resolve("told");
          },
          ended: (why, broken) => told.resolve(broken ? { wrong: why } : { lost: why }),
        },
        signal,
      );
      try {
        talk.ask(1, [name]);
        const how = await Promise.race([told.promise, limit]);
        nextMs.set(name, clock.tickMs() + (how === "told" || "wrong" in how ? everyMs : againMs));
        if (how !== "told" && "wrong" in how) needs.failed(name, how.wrong);
      } finally {
        await talk.close();
      }
    } catch {
      // It is the machine that cannot be reached, and its session says so.
      nextMs.set(name, clock.tickMs() + againMs);
    } finally {
      late.abort();
    }
  }

  return {
    turn() {
      if (underWay || stop.signal.aborted) return;
      const due = slow.find(({ name }) => clock.tickMs() >= (nextMs.get(name) ?? 0));
      if (!due) return;
      underWay = ask(due.name, due.everyMs).finally(() => {
        underWay = undefined;
      });
    },
    hurry() {
      for (const { name } of slow) nextMs.set(name, 0);
    },
    async close() {
      stop.abort();
      await underWay;
    },
  };
}
