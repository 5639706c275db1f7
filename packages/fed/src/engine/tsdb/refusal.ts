import type { Labels } from "../series/labels.ts";
import { nameOf } from "./block.ts";
import type { Added } from "./head.ts";

/** Why a sample was not taken. */
export interface Refusal {
  readonly kind: "other value" | "too old" | "too far ahead" | "time" | "labels" | "too many series";
  /** Index of the row. */
  readonly row: number;
  readonly message: string;
}

interface Row {
  readonly labels: Labels;
  readonly time: number;
  readonly row: number;
}

/** In words, by name. */
export function refusalOf(
  { labels, time, row }: Row,
  became: Added | undefined,
  earliest: number,
  latest: number,
): Refusal {
  const name = nameOf(labels).slice(0, 500);
  const at = timeText(time);
  if (became === "other value") {
    return { kind: "other value", row, message: `${name} has another value at ${at} already` };
  }
  if (time < earliest) {
    const since = new Date(earliest).toISOString();
    return { kind: "too old", row, message: `${name} at ${at} comes too late: times before ${since} are closed` };
  }
  if (time > latest)
    return { kind: "too far ahead", row, message: `${name} at ${at} is in the future: look at the sender's clock` };
  return { kind: "time", row, message: `${name}: ${time} is no time in whole milliseconds` };
}

export function refusalOfAge({ labels, time, row }: Row, earliest: number): Refusal {
  const [at, since] = [timeText(time), timeText(earliest)];
  const name = nameOf(labels).slice(0, 500);
  return { kind: "too old", row, message: `${name} at ${at} is older than what is kept, which begins at ${since}` };
}

/** What `seriesOf` has against it. */
export function refusalOfSeries(labels: Labels, row: number, wrong: string): Refusal {
  const kind = /^(?:tenant|the store) /.test(wrong) ? "too many series" : "labels";
  return { kind, row, message: `${nameOf(labels).slice(0, 500)}: ${wrong}` };
}

function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}`;
}
