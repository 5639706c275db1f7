import { type Duration, parseDuration } from "@fed/lab";
import { Fault } from "#base/fault.ts";

/** Times and durations as people type and read them. */

/** `1h`: so long ago; `2026-11-21T08:00Z`: then. Milliseconds since the epoch. */
export function momentOf(flag: string, word: string, nowMs: number): number {
  const agoMs = durationMs(word);
  if (agoMs !== undefined) return nowMs - agoMs;
  const atMs = Date.parse(word);
  if (Number.isFinite(atMs)) return atMs;
  throw new Fault("invalid", `${flag} is no time: ${JSON.stringify(word)}`, {
    hint: "write how long ago, such as 30m, 1h or 7d, or a time, such as 2026-11-21T08:00:00Z",
  });
}

/** Undefined for what is no duration. */
export function durationMs(word: string): number | undefined {
  return isDuration(word) ? parseDuration(word) : undefined;
}

function isDuration(word: string): word is Duration {
  return /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(word);
}

/** `2026-11-21 08:00:00`, in the time zone of the person. */
export function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** `12 s`, `5 min`, `3 h`, `2 d`. */
export function ageOf(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
