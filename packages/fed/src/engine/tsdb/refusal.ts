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

/** In words, by name. */
export function refusalOf(
  { labels, time, row }: { readonly labels: Labels; readonly time: number; readonly row: number },
  became: Added | undefined,
  earliest: number,
  latest: number,
): Refusal {
  const name = nameOf(labels).slice(0, 500);
  const at = Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : `${time}`;
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
