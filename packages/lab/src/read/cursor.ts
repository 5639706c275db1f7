/** Where a reader stands: the path it reads, the names it may refer to, and where it says what is wrong. */

import type { DiagnosticCode, Finding, Path, Segment } from "../diagnostic.ts";

/** What can be referred to by name. */
export type Noun = "machine" | "environment" | "secret" | "service";

export type Names = Readonly<Record<Noun, ReadonlySet<string>>>;

export interface Cursor {
  readonly path: Path;
  readonly names: Names;
  readonly findings: Finding[];
}

/**
 * Reads one written value: returns it as the document has it (a fresh copy), or reports and returns undefined. A reader
 * never throws and reports everything that is wrong, so that a person sees all mistakes at once.
 */
export type Read<T> = (value: unknown, at: Cursor) => T | undefined;

export function enter(at: Cursor, segment: Segment): Cursor {
  return { ...at, path: [...at.path, segment] };
}

/** Reports one mistake at the cursor. Returns undefined, so that a reader can end with it. */
export function report(at: Cursor, code: DiagnosticCode, message: string, hint?: string): undefined {
  at.findings.push({ code, path: at.path, message, hint });
}

const longest = 60;

/** A found value in few words, for the end of a message: `the number 5`, `the text "abc"`, `a list`, `nothing`. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return value === null ? "null" : "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "string") {
    return `the text ${JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value)}`;
  }
  if (typeof value === "number" || typeof value === "bigint") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof (value as { then?: unknown }).then === "function") return "a promise";
  const keys = Object.keys(value).slice(0, 4);
  return keys.length === 0 ? "an empty object" : `an object with ${keys.map((key) => `"${key}"`).join(", ")}`;
}

/** The usual complaint about a type. */
export function reportType(at: Cursor, expected: string, value: unknown, hint?: string): undefined {
  return report(at, "wrong-type", `Expected ${expected}, found ${describe(value)}.`, hint);
}

/** An object literal (or one from JSON): no class instance, no list, no function. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
