import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";

/** What one query may use. */
export interface Limits {
  /** Series read from the store. */
  readonly series: number;
  /** Samples read from the store and from subqueries. */
  readonly samples: number;
  /** Cells held in memory at the same time or in the answer: series times steps. */
  readonly points: number;
  readonly timeoutMs: number;
}

export const defaultLimits: Limits = { series: 200_000, samples: 100_000_000, points: 50_000_000, timeoutMs: 120_000 };

/** Keeps the books of one query and lets others have their turn. Each method throws when something is used up. */
export interface Budget {
  readSeries(count: number): void;
  readSamples(count: number): void;
  hold(points: number): void;
  /** Whether it is time to `rest`: so that loops need not wait for nothing. */
  readonly due: boolean;
  /** Gives way to other work. Throws the signal's reason, or `timeout`. */
  rest(): Promise<void>;
}

/** Longest stretch of work without giving way. */
const sliceMs = 6;

export function openBudget(limits: Limits, clock: Clock, signal: AbortSignal): Budget {
  const beginMs = clock.tickMs();
  let [sliceBeginMs, series, samples, points] = [beginMs, 0, 0, 0];
  const check = () => {
    signal.throwIfAborted();
    if (clock.tickMs() - beginMs <= limits.timeoutMs) return;
    throw new Fault("timeout", "query timed out in expression evaluation", {
      hint: `A query may take ${limits.timeoutMs} ms. Ask for a shorter range, a longer step or fewer series.`,
    });
  };
  return {
    readSeries(count) {
      series += count;
      if (series > limits.series) throw limited(`query would read more than ${limits.series} series`);
    },
    readSamples(count) {
      samples += count;
      if (samples <= limits.samples) return;
      throw limited("query processing would load too many samples into memory in expression evaluation");
    },
    hold(count) {
      points += count;
      if (points > limits.points) throw limited(`query would hold more than ${limits.points} points`);
    },
    get due() {
      return clock.tickMs() - sliceBeginMs > sliceMs;
    },
    async rest() {
      check();
      await turn();
      check();
      sliceBeginMs = clock.tickMs();
    },
  };
}

function limited(words: string): Fault {
  return new Fault("limited", words, {
    hint: "Select fewer series with matchers, a shorter range or a longer step, or record a sum of them beforehand.",
  });
}

/** Node has it, browsers have not: seen this way it is no fault of types in either. */
const { setImmediate: soon } = globalThis as { readonly setImmediate?: (wake: () => void) => unknown };

/** Lets everything that waits run once; `setTimeout` waits a millisecond or more. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (soon === undefined) setTimeout(resolve, 0);
    else soon(resolve);
  });
}
