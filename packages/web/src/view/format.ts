const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long ago (or until when) in a few letters: `now`, `42 s ago`, `3 min ago`, `2 h ago`, `5 d ago`, `in 9 min`. */
export function ageText(atMs: number, nowMs: number): string {
  const distance = Math.abs(nowMs - atMs);
  if (distance < 2 * second) return "now";
  const size = roughText(distance);
  return atMs > nowMs ? `in ${size}` : `${size} ago`;
}

function roughText(ms: number): string {
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min`;
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h`;
  if (ms < 365 * day) return `${Math.floor(ms / day)} d`;
  return `${Math.floor(ms / (365 * day))} y`;
}

/** When the age of something this far away reads differently next. */
export function ageStepMs(distanceMs: number): number {
  const distance = Math.abs(distanceMs);
  if (distance < minute) return second;
  return distance < hour ? 15 * second : minute;
}

/** A length of time, exact enough to compare: `340 µs`, `12 ms`, `1.5 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`. */
export function durationText(ms: number): string {
  if (ms < 0) return `-${durationText(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms < 9.95 ? trimNumber(ms, 1) : Math.round(ms)} ms`;
  if (ms < minute - 50) return `${trimNumber(ms / second, ms < 9.95 * second ? 1 : 0)} s`;
  const seconds = Math.round(ms / second);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(ms / minute);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(ms / hour);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A size in powers of 1,024: `512 B`, `1.5 KiB`, `64 GiB`. */
export function bytesText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (Math.abs(size) >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(size) : trimNumber(size, Math.abs(size) < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** With so many digits after the point, but no zeros at the end. */
function trimNumber(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** `1 service`, `2 services`, `1,204 events`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** What a machine calls its things, with what cannot be seen or turns the direction of what follows written out. */
export function plainText(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A point in time in full, in the reader's own time zone: `2026-11-21 06:49:59`. */
export function momentText(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Of a point in time the hours, minutes and seconds, in the reader's own time zone. */
export function clockText(atMs: number): string {
  return momentText(atMs).slice(11);
}

/** The day of a point in time: `Today`, `Yesterday`, `Friday, 20 November 2026`. */
export function dayText(atMs: number, nowMs: number): string {
  const startOf = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);
  // A day may have 23 or 25 hours.
  const days = Math.round((startOf(nowMs) - startOf(atMs)) / day);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(
    atMs,
  );
}
