import { type Clock, sleep } from "#base/clock.ts";
import type { Collector, RawTick, Section } from "#port/collector.ts";
import type { Shell } from "#port/shell.ts";
import { openTalk } from "./talk.ts";

export interface AsideNeeds {
  readonly shell: Shell;
  readonly collector: Collector;
  readonly clock: Clock;
  makeMark(): string;
  /** Whether all of it could be told. */
  heard(tick: RawTick): Promise<boolean>;
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

/** From its begin on, when a hub that starts has other things to do, and more for machines that are asked later than others. */
const firstMs = 10_000;
const spreadMs = 20_000;
const limitMs = 120_000;
/** What could not be told is asked again after this, and after twice as long each time it cannot again. */
const againMs = 60_000;

/** `part`, from 0 to 1, spreads the first questions over the fleet. */
export function openAside(needs: AsideNeeds, part: number): Aside {
  const { collector, clock } = needs;
  const slow = collector.sections.filter((section) => section.slow);
  const beganMs = clock.tickMs() + firstMs + part * spreadMs;
  const nextMs = new Map(slow.map(({ name }) => [name, beganMs]));
  const failed = new Map<string, number>();
  const stop = new AbortController();
  let underWay: Promise<void> | undefined;

  function after(name: string, everyMs: number, good: boolean) {
    const times = good ? 0 : (failed.get(name) ?? 0) + 1;
    failed.set(name, times);
    nextMs.set(name, clock.tickMs() + (good ? everyMs : Math.min(everyMs, againMs * 2 ** (times - 1))));
  }

  async function ask({ name, everyMs }: Section): Promise<void> {
    const late = new AbortController();
    const signal = AbortSignal.any([stop.signal, late.signal]);
    try {
      const how = await answerTo(needs, name, signal);
      if (how.kind === "wrong") needs.failed(name, how.reason);
      after(name, everyMs, how.kind === "told" && (await how.good));
    } catch {
      // It is the machine that cannot be reached, and its session says so.
      after(name, everyMs, false);
    } finally {
      late.abort();
    }
  }

  return {
    turn() {
      if (underWay || stop.signal.aborted) return;
      const due = slow.find(({ name }) => clock.tickMs() >= (nextMs.get(name) ?? 0));
      if (!due) return;
      underWay = ask(due).finally(() => {
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

type Answer =
  | { readonly kind: "told"; readonly good: Promise<boolean> }
  /** The connection is lost. */
  | { readonly kind: "lost" }
  | { readonly kind: "wrong"; readonly reason: string };

/** What becomes of one section that is asked in a channel of its own. Faults of the shell. */
async function answerTo(needs: AsideNeeds, name: string, signal: AbortSignal): Promise<Answer> {
  const told = Promise.withResolvers<Answer>();
  const talk = await openTalk(
    {
      ...{ shell: needs.shell, collector: needs.collector, mark: needs.makeMark() },
      heard(tick) {
        const unasked = tick.sections.some((section) => section.name !== name);
        told.resolve(
          unasked
            ? { kind: "wrong", reason: "it told what it was not asked" }
            : { kind: "told", good: needs.heard(tick) },
        );
      },
      ended: (reason, broken) => told.resolve(broken ? { kind: "wrong", reason } : { kind: "lost" }),
    },
    signal,
  );
  const limit = sleep(needs.clock, limitMs, signal).then(
    (): Answer => ({ kind: "wrong", reason: `did not end within ${limitMs / 60_000} min` }),
    (): Answer => ({ kind: "lost" }),
  );
  try {
    talk.ask(1, [name]);
    return await Promise.race([told.promise, limit]);
  } finally {
    await talk.close();
  }
}
