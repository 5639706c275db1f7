/** Durations and sizes as text: a decimal number and a unit, nothing between them. */

import type { Duration, Size } from "./document.ts";

const msOfUnit: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const bytesOfUnit: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** At most three decimals: no duration or size worth writing needs more, and the sum stays exact. */
const quantity = /^(\d{1,15})(?:\.(\d{1,3}))?([A-Za-z]{1,3})$/;

/** The whole number of smallest units, or undefined when the text is not a quantity of these units. */
function readQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = quantity.exec(text);
  if (match === null) return undefined;
  const [, whole = "", decimals = "", unit = ""] = match;
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined || (factor === 1 && decimals !== "")) return undefined;
  const total = Number(whole) * factor + Math.round((Number(decimals.padEnd(3, "0")) * factor) / 1_000);
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Milliseconds, or undefined when it is not a duration. */
export function readDuration(text: string): number | undefined {
  return readQuantity(text, msOfUnit);
}

/** Bytes, or undefined when it is not a size. */
export function readSize(text: string): number | undefined {
  return readQuantity(text, bytesOfUnit);
}

/**
 * Milliseconds of a duration such as `"1.5s"`. For text of a checked document, which always is one; throws a RangeError
 * for other text.
 */
export function parseDuration(text: Duration): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new RangeError(`"${text}" is not a duration; write a number with ms, s, m, h or d.`);
  return ms;
}

/** Bytes of a size such as `"512MiB"`; throws a RangeError for text that is none. A checked document has only sizes. */
export function parseSize(text: Size): number {
  const bytes = readSize(text);
  if (bytes === undefined) throw new RangeError(`"${text}" is not a size; write a number with B, kB, MB, KiB, MiB ….`);
  return bytes;
}
