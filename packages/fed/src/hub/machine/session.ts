import type { Section } from "#port/collector.ts";

/**
 * The rhythm in which the hub asks one machine, and misses it: plain data, moved on by the functions below. All times are of the
 * steady clock.
 */
export interface Rhythm {
  readonly intervalMs: number;
  /** Asked every second meanwhile. */
  readonly watched: boolean;
  /** When it is to be asked next. */
  readonly askMs: number;
  /** When it will have been missed once more, unless it answers. */
  readonly missMs: number;
  /** Misses in a row. */
  readonly misses: number;
  /** The tick that was asked for and has not come. Never two at a time. */
  readonly underWay: UnderWay | undefined;
  readonly sequence: number;
  /** When each section was asked last. */
  readonly asked: ReadonlyMap<string, number>;
  /** How often in a row it has said what our program cannot say. */
  readonly strikes: number;
}

interface UnderWay {
  readonly sequence: number;
  readonly askedMs: number;
  /** When each section had been asked before. */
  readonly before: ReadonlyMap<string, number>;
}

/** An answer that takes longer than this after its interval is a miss. */
export const graceMs = 5_000;
export const watchedMs = 1_000;
/** At its begin a machine is asked for its slower sections one by one, this much apart. */
const firstMs = 1_000;
/** Sections that are asked more often than this have little to do; of the others one at a time. */
const rareMs = 60_000;
const strikeMs = 60_000;
const mostStrikeMs = 600_000;
const missesToAnew = 3;

/** `part`, from 0 to 1, is where in the interval its turn is: many machines are not asked all at once. */
export function beginRhythm(intervalMs: number, part: number, nowMs: number): Rhythm {
  const askMs = nowMs + part * Math.min(intervalMs, 10_000);
  return {
    ...{ intervalMs, watched: false, askMs, missMs: askMs + graceMs, misses: 0, underWay: undefined },
    ...{ sequence: 0, asked: new Map(), strikes: 0 },
  };
}

/** When there is something to do next. */
export function wakeMs({ askMs, missMs, underWay }: Rhythm): number {
  return underWay ? missMs : Math.min(askMs, missMs);
}

/** The sections to ask for now: what is due, of rare ones and at the begin one at a time. */
export function dueSections(
  sections: readonly Section[],
  { asked, intervalMs }: Rhythm,
  nowMs: number,
): readonly string[] {
  const never = sections.filter(({ name, everyMs }) => everyMs > 0 && !asked.has(name)).sort(byEvery);
  const lateMs = ({ name, everyMs }: Section) => nowMs - ((asked.get(name) ?? nowMs) + everyMs);
  // A tick is never quite on time: what is due within half a second is due.
  const due = sections.filter((one) => one.everyMs > 0 && asked.has(one.name) && lateMs(one) >= -500);
  const rare = due.filter(({ everyMs }) => everyMs >= rareMs).sort((a, b) => lateMs(b) - lateMs(a));
  const one = never[0] ?? rare[0];
  const names = new Set([
    ...due.filter(({ everyMs }) => everyMs < Math.max(rareMs, intervalMs + 1)).map(({ name }) => name),
    ...(one ? [one.name] : []),
  ]);
  // In the collector's own order; the first tick has what is quick, so that a machine is live at once.
  const first = asked.size === 0;
  return sections.flatMap(({ name, everyMs }) => (everyMs === 0 || (!first && names.has(name)) ? [name] : []));
}

const byEvery = (a: Section, b: Section) => a.everyMs - b.everyMs;

export function afterAsking(before: Rhythm, names: readonly string[], nowMs: number): Rhythm {
  const asked = new Map(before.asked);
  for (const name of names) asked.set(name, nowMs);
  const sequence = before.sequence + 1;
  return { ...before, asked, sequence, underWay: { sequence, askedMs: nowMs, before: before.asked } };
}

export function afterAnswer(before: Rhythm, sections: readonly Section[], nowMs: number): Rhythm {
  const askedMs = before.underWay?.askedMs ?? nowMs;
  const settled = sections.every(({ name }) => before.asked.has(name));
  const paceMs = Math.min(before.intervalMs, before.watched ? watchedMs : settled ? Infinity : firstMs);
  return {
    ...{ ...before, underWay: undefined, misses: 0, strikes: 0 },
    // A machine that needs long for a tick rests as long: it is never kept busy.
    askMs: Math.max(askedMs + paceMs, nowMs + Math.min(nowMs - askedMs, before.intervalMs)),
    missMs: Math.max(askedMs, nowMs - before.intervalMs) + before.intervalMs + graceMs,
  };
}

/** It could not be asked, or the connection is lost: the same is asked again after its interval. */
export function afterFailure(before: Rhythm, nowMs: number): Rhythm {
  const { underWay, asked, intervalMs } = before;
  return { ...before, underWay: undefined, asked: underWay?.before ?? asked, askMs: nowMs + intervalMs };
}

/** Its answer will not come. What it was asked for may be what it hangs at, and is asked again only when that is due. */
export function afterGivingUp(before: Rhythm, nowMs: number): Rhythm {
  return { ...before, underWay: undefined, askMs: nowMs };
}

/** It says what our program cannot say: it is asked again after a while that grows, and not missed meanwhile. */
export function afterStrike(before: Rhythm, nowMs: number): Rhythm {
  const waitMs = Math.max(before.intervalMs, Math.min(strikeMs * 2 ** before.strikes, mostStrikeMs));
  const askMs = nowMs + waitMs;
  return { ...before, underWay: undefined, misses: 0, strikes: before.strikes + 1, askMs, missMs: askMs + graceMs };
}

/** It was missed. A hub that was asleep misses once, not as often as it slept: nobody was asked meanwhile. */
export function afterMiss(before: Rhythm, nowMs: number): Rhythm {
  return { ...before, misses: before.misses + 1, missMs: nowMs + before.intervalMs };
}

/** Whether what was asked so long ago without an answer is to be begun anew, by another channel. */
export function isStuck({ underWay, misses }: Rhythm): boolean {
  return underWay !== undefined && misses > 0 && misses % missesToAnew === 0;
}

/** Somebody watches it, or nobody does any more. */
export function afterWatch(before: Rhythm, watched: boolean, nowMs: number): Rhythm {
  if (before.strikes > 0 || before.misses > 0) return { ...before, watched };
  return { ...before, watched, askMs: watched ? Math.min(before.askMs, nowMs) : before.askMs };
}

/** It is to be asked at once. */
export function askNow(before: Rhythm, nowMs: number): Rhythm {
  return { ...before, askMs: nowMs };
}
