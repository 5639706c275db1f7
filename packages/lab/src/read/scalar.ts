/** Readers of single values: texts, numbers, flags, durations, sizes, references. */

import type { Duration, Size } from "../document.ts";
import { nearest } from "../nearest.ts";
import { readDuration, readSize } from "../unit.ts";
import { type Noun, type Read, report, reportType } from "./cursor.ts";

/** Longest text a lab may hold in one place, in UTF-16 units: what a process can be given as one variable. */
const longestText = 131_072;

export interface TextRule {
  /** What it is, for "Expected …": `a host name`. */
  readonly what: string;
  readonly pattern?: RegExp;
  /** What to do when it does not match, given the text. */
  readonly hint?: (text: string) => string | undefined;
  /** Texts may be empty only where it says so. */
  readonly empty?: boolean;
  /** In UTF-16 units. */
  readonly longest?: number;
}

export function text<T extends string = string>(rule: TextRule): Read<T> {
  const { what, pattern, hint, empty = false, longest = longestText } = rule;
  return (value, at) => {
    if (typeof value !== "string") {
      return reportType(at, what, value, typeof value === "number" ? "Put quotes around it." : undefined);
    }
    if (value === "" && !empty) return report(at, "empty", `Expected ${what}, found an empty text.`);
    if (value.length > longest) {
      return report(at, "out-of-range", `It is ${value.length} characters long; ${longest} is the most.`);
    }
    if (value.includes("\0")) return report(at, "bad-value", "It has a zero byte, which no program can be given.");
    if (pattern !== undefined && !pattern.test(value)) {
      return report(at, "bad-value", `${JSON.stringify(value.slice(0, 80))} is not ${what}.`, hint?.(value));
    }
    return value as T;
  };
}

export interface NumberRule {
  /** `a port`, `a number of cores`. */
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly hint?: string;
}

export function number(rule: NumberRule): Read<number> {
  const { what, min, max, whole, hint } = rule;
  const expected = `${what}: a ${whole ? "whole " : ""}number from ${min} to ${max}`;
  return (value, at) => {
    if (typeof value !== "number" || Number.isNaN(value)) {
      const quoted = typeof value === "string" && /^\d+(\.\d+)?$/.test(value);
      return reportType(at, expected, value, quoted ? "Take the quotes away." : hint);
    }
    if (value < min || value > max || (whole && !Number.isInteger(value))) {
      return report(at, "out-of-range", `Expected ${expected}, found ${value}.`, hint);
    }
    return value;
  };
}

export const flag: Read<boolean> = (value, at) =>
  typeof value === "boolean" ? value : reportType(at, "true or false", value);

/** A duration within bounds, themselves written as durations. */
export function duration(min: Duration, max: Duration): Read<Duration> {
  const minMs = readDuration(min) ?? 0;
  const maxMs = readDuration(max) ?? Number.MAX_SAFE_INTEGER;
  return (value, at) => {
    const ms = typeof value === "string" ? readDuration(value) : undefined;
    if (ms === undefined) {
      return report(
        at,
        typeof value === "string" ? "bad-value" : "wrong-type",
        ...notA("duration", value, '"5s" or "500ms"', "ms, s, m, h or d"),
      );
    }
    if (ms < minMs || ms > maxMs) return report(at, "out-of-range", `${value} is out of range: ${min} to ${max}.`);
    return value as Duration;
  };
}

export function size(min: Size, max: Size): Read<Size> {
  const minBytes = readSize(min) ?? 0;
  const maxBytes = readSize(max) ?? Number.MAX_SAFE_INTEGER;
  return (value, at) => {
    const bytes = typeof value === "string" ? readSize(value) : undefined;
    if (bytes === undefined) {
      return report(
        at,
        typeof value === "string" ? "bad-value" : "wrong-type",
        ...notA("size", value, '"512MiB" or "2GB"', "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB"),
      );
    }
    if (bytes < minBytes || bytes > maxBytes) {
      return report(at, "out-of-range", `${value} is out of range: ${min} to ${max}.`);
    }
    return value as Size;
  };
}

function notA(what: string, value: unknown, example: string, units: string): [message: string, hint: string] {
  const found = typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value).slice(0, 60);
  return [`${found} is not a ${what}.`, `Write ${example}: a number and, without a space, ${units}.`];
}

const plural: Readonly<Record<Noun, string>> = {
  machine: "machines",
  environment: "environments",
  secret: "secrets",
  service: "services",
};

/** What to say of a name that is not there. */
export function unknownHint(word: string, known: ReadonlySet<string>, plural: string): string {
  const near = nearest(word, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (known.size === 0) return `The lab has no ${plural}.`;
  const some = [...known].slice(0, 8).map((name) => `"${name}"`);
  return `There ${known.size === 1 ? "is" : "are"} ${some.join(", ")}${known.size > 8 ? ` and ${known.size - 8} more` : ""}.`;
}

/** A name of something that the lab declares. */
export function reference(noun: Noun): Read<string> {
  return (value, at) => {
    if (typeof value !== "string")
      return reportType(at, `the name of ${noun === "environment" ? "an" : "a"} ${noun}`, value);
    if (at.names[noun].has(value)) return value;
    const hint = unknownHint(value, at.names[noun], plural[noun]);
    return report(at, `unknown-${noun}`, `There is no ${noun} ${JSON.stringify(value.slice(0, 80))}.`, hint);
  };
}
