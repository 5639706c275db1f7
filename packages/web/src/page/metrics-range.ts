/** Which stretch of time is looked at, and in steps of what length. Pure. */

export type Span =
  /** Up to now. */
  | { readonly kind: "last"; readonly ms: number }
  | { readonly kind: "between"; readonly startMs: number; readonly endMs: number };

export interface Grid {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** A moment after the last step that is shown, too: now, while the next step is not complete. */
  readonly tailMs?: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const spans: readonly { readonly ms: number; readonly word: string }[] = [
  { ms: 5 * minute, word: "5 minutes" },
  { ms: 15 * minute, word: "15 minutes" },
  { ms: 30 * minute, word: "30 minutes" },
  { ms: hour, word: "hour" },
  { ms: 3 * hour, word: "3 hours" },
  { ms: 6 * hour, word: "6 hours" },
  { ms: 12 * hour, word: "12 hours" },
  { ms: day, word: "24 hours" },
  { ms: 2 * day, word: "2 days" },
  { ms: 7 * day, word: "7 days" },
  { ms: 30 * day, word: "30 days" },
  { ms: 90 * day, word: "90 days" },
  { ms: 365 * day, word: "year" },
];

export const usualSpan: Span = { kind: "last", ms: hour };

/** Steps that fall on round times. */
export const steps: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7].map((n) => n * day),
];

/** The hub takes no more steps than this in one answer; the last one is at the end. */
const mostSteps = 10_999;
/** No source tells its metrics more often without being told to. */
const leastStepMs = 5 * second;
const pixelsOfStep = 4;
const shortestMs = 10 * second;
const longestMs = 400 * day;

/** The step whose points stand a few pixels apart on a chart of this width. */
export function autoStepMs(lengthMs: number, widthPx: number): number {
  const wanted = (lengthMs * pixelsOfStep) / Math.max(200, widthPx);
  return steps.find((ms) => ms >= Math.max(wanted, leastStepMs)) ?? (steps.at(-1) as number);
}

/** A step that was chosen, or one for the width; longer where the hub would refuse it. */
export function stepFor(span: Span, chosenMs: number | undefined, widthPx: number): number {
  const lengthMs = lengthOf(span);
  const stepMs = chosenMs ?? autoStepMs(lengthMs, widthPx);
  if (lengthMs / stepMs <= mostSteps) return stepMs;
  return steps.find((ms) => lengthMs / ms <= mostSteps) ?? Math.ceil(lengthMs / mostSteps);
}

export function lengthOf(span: Span): number {
  return span.kind === "last" ? span.ms : span.endMs - span.startMs;
}

/** What was measured so long ago is shown, however long the steps are. */
const tickMs = 15 * second;

/**
 * Where the span lies now: whole steps up to its end. Its ends move by ticks, so that nothing is asked twice within one, and
 * what is asked once a step falls on the same moments as before.
 */
export function gridOf(span: Span, stepMs: number, nowMs: number): Grid {
  const unitMs = Math.min(stepMs, tickMs);
  const endMs = Math.floor((span.kind === "last" ? nowMs : span.endMs) / unitMs) * unitMs;
  return { startMs: endMs - Math.floor(lengthOf(span) / stepMs) * stepMs, endMs, stepMs };
}

/** Half its length earlier or later; what would lie in the future is up to now. */
export function shift(span: Span, direction: -1 | 1, nowMs: number): Span {
  const lengthMs = lengthOf(span);
  if (span.kind === "last" && direction === 1) return span;
  const endMs = (span.kind === "last" ? nowMs : span.endMs) + (direction * lengthMs) / 2;
  if (endMs >= nowMs) return { kind: "last", ms: lengthMs };
  return between(endMs - lengthMs, endMs);
}

/** Twice as long around the same middle, or half as long; up to now stays up to now. */
export function zoom(span: Span, factor: 2 | 0.5, nowMs: number): Span {
  const lengthMs = Math.min(longestMs, Math.max(shortestMs, lengthOf(span) * factor));
  if (span.kind === "last") return { kind: "last", ms: lengthMs };
  const middleMs = (span.startMs + span.endMs) / 2;
  const endMs = middleMs + lengthMs / 2;
  return endMs >= nowMs ? { kind: "last", ms: lengthMs } : between(endMs - lengthMs, endMs);
}

/** Whole seconds, in order, not shorter than can be looked at. */
export function between(oneMs: number, otherMs: number): Span {
  const [from, to] = [Math.min(oneMs, otherMs), Math.max(oneMs, otherMs)];
  const startMs = Math.round(from / second) * second;
  const endMs = Math.min(startMs + longestMs, Math.max(startMs + shortestMs, Math.round(to / second) * second));
  return { kind: "between", startMs, endMs };
}

/** A browser's timer that is set for more than 24 days goes off at once. */
const longestWaitMs = hour;

/** How long to wait until it is asked again: a little behind the step, so that what was measured at it is there. */
export function untilNextMs(nowMs: number, everyMs: number): number {
  return Math.min(longestWaitMs, everyMs - (nowMs % everyMs) + Math.min(200, everyMs / 10));
}
