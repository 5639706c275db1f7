import { type Duration, parseDuration } from "@fed/lab";
import { Fault } from "#base/fault.ts";

/** Times and durations as people type and read them. */

/**
 * `1h`: so long ago; `2026-11-21T08:00Z`: then; without a zone in the person's own. Milliseconds since the epoch. Anything
 * else is Fault `invalid`: JavaScript would read `7` as a month of 2001, and a date that does not exist as another one.
 */
export function momentOf(flag: string, word: string, nowMs: number): number {
  const agoMs = durationMs(word);
  if (agoMs !== undefined) return Math.max(0, nowMs - agoMs);
  const atMs = isoMs(word);
  if (atMs !== undefined) return atMs;
  const meant = /^\d+$/.test(word) ? `; ${word}m, ${word}h or ${word}d?` : "";
  throw new Fault("invalid", `${flag} is no time: ${JSON.stringify(word)}${meant}`, {
    hint: "write how long ago (30s, 30m, 1h, 2d), or an ISO time (2026-11-21, 2026-11-21T08:00, 2026-11-21T08:00:00Z)",
  });
}

const isoTime =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?<zone>Z|[+-]\d{2}:\d{2})?)?$/;

function isoMs(word: string): number | undefined {
  const { date, time = "00:00", zone = "" } = isoTime.exec(word)?.groups ?? {};
  if (date === undefined || !isDay(date)) return undefined;
  const atMs = Date.parse(`${date}T${time}${zone}`);
  return Number.isFinite(atMs) ? Math.max(0, atMs) : undefined;
}

/** Not the 31st of February. */
function isDay(date: string): boolean {
  const atMs = Date.parse(`${date}T00:00Z`);
  return Number.isFinite(atMs) && new Date(atMs).toISOString().startsWith(date);
}

/** Undefined for what is no duration. */
export function durationMs(word: string): number | undefined {
  return isDuration(word) ? parseDuration(word) : undefined;
}

/** As the language has it, of whole milliseconds that a number holds. */
function isDuration(word: string): word is Duration {
  return /^\d{1,8}(?:ms|(?:\.\d{1,3})?[smhd])$/.test(word);
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

/** `2.4 s`, `350 ms`. */
export function tookText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
