/** Readers of composite values: objects with known keys, maps by name, lists, values by environment. */

import type { PerEnvironment } from "../document.ts";
import { isMapByEnvironment, valueKeys } from "../per-environment.ts";
import { type Cursor, describe, enter, isPlainObject, type Read, report, reportType } from "./cursor.ts";
import { unknownHint } from "./scalar.ts";

export interface Field<T> {
  readonly read: Read<T>;
  readonly required: boolean;
}

/** A reader for each field of T, none forgotten and none invented. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

export function required<T>(read: Read<T>): Field<T> {
  return { read, required: true };
}

export function optional<T>(read: Read<T>): Field<T> {
  return { read, required: false };
}

/**
 * Reads the fields of an object, whatever else is wrong with it: `whole` tells whether every required one is there and
 * right. Undefined when it is no object. A key with the value undefined counts as left out.
 */
export function readFields<T extends object>(
  what: string,
  fields: Fields<T>,
): Read<{ readonly whole: boolean; readonly fields: Partial<T> }> {
  const known = new Set(Object.keys(fields));
  const readers = Object.entries(fields) as [string, Field<unknown>][];
  return (value, at) => {
    if (!isPlainObject(value)) return reportType(at, what, value);
    for (const key of Object.keys(value)) {
      if (known.has(key) || value[key] === undefined) continue;
      const message = `${capitalised(what)} has no key ${JSON.stringify(key.slice(0, 80))}.`;
      report(enter(at, key), "unknown-key", message, unknownHint(key, known, "keys"));
    }
    let whole = true;
    const entries: [string, unknown][] = [];
    for (const [key, field] of readers) {
      const written = Object.hasOwn(value, key) ? value[key] : undefined;
      const result = written === undefined ? undefined : field.read(written, enter(at, key));
      if (result !== undefined) entries.push([key, result]);
      else if (field.required) whole = false;
      if (written === undefined && field.required) report(at, "missing-key", `${capitalised(what)} needs "${key}".`);
    }
    return { whole, fields: Object.fromEntries(entries) as Partial<T> };
  };
}

/**
 * An object with these keys. When a required key is missing or wrong the result is undefined; other broken keys are
 * only left out. `what` is for "Expected …".
 */
export function object<T extends object>(what: string, fields: Fields<T>): Read<T> {
  const read = readFields(what, fields);
  return (value, at) => {
    const result = read(value, at);
    return result?.whole === true ? (result.fields as T) : undefined;
  };
}

function capitalised(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

/** One of several objects, told apart by their `kind`. `what` is for "Expected …": how people write one. */
export function byKind<T extends { readonly kind: string }>(
  what: string,
  kinds: { readonly [K in T["kind"]]: Read<Extract<T, { readonly kind: K }>> },
): Read<T> {
  const known = new Set(Object.keys(kinds));
  const readers = new Map(Object.entries(kinds) as [string, Read<T>][]);
  return (value, at) => {
    if (!isPlainObject(value) || !Object.hasOwn(value, "kind")) return reportType(at, what, value);
    const read = typeof value.kind === "string" ? readers.get(value.kind) : undefined;
    if (read !== undefined) return read(value, at);
    const hint = typeof value.kind === "string" ? unknownHint(value.kind, known, "kinds") : undefined;
    return report(enter(at, "kind"), "bad-value", `Expected ${what}, found the kind ${describe(value.kind)}.`, hint);
  };
}

/** The `kind` itself: already known to be right when it is read. */
export function constant<T extends string>(word: T): Read<T> {
  return (value, at) => (value === word ? word : reportType(at, `"${word}"`, value));
}

/** A map by name: `name` reads (and so checks) each key, `read` each value. Broken entries are left out. */
export function map<T>(what: string, name: Read<string>, read: Read<T>): Read<Record<string, T>> {
  return (value, at) => {
    if (!isPlainObject(value)) return reportType(at, what, value);
    const entries: [string, T][] = [];
    for (const [key, written] of Object.entries(value)) {
      if (written === undefined) continue;
      const inside = enter(at, key);
      const good = name(key, inside) !== undefined;
      const result = read(written, inside);
      if (good && result !== undefined) entries.push([key, result]);
    }
    return Object.fromEntries(entries);
  };
}

/** A list of different things. `least` is 0 or 1. */
export function list<T>(what: string, read: Read<T>, least: 0 | 1 = 0): Read<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) {
      return reportType(at, what, value, typeof value === "string" ? "Put it in brackets: a list of one." : undefined);
    }
    if (value.length < least)
      return report(at, "empty", `Expected ${what}, found an empty list.`, "Name at least one.");
    const seen = new Set<unknown>();
    const results: T[] = [];
    for (const [index, written] of value.entries()) {
      const inside = enter(at, index);
      const result = read(written, inside);
      if (result === undefined) continue;
      if (seen.has(result)) report(inside, "duplicate", `${describe(result)} is in the list twice.`, "Take one away.");
      else results.push(result);
      seen.add(result);
    }
    return results.length < least ? undefined : results;
  };
}

/** One value, or a map by environment. */
export function perEnvironment<T>(read: Read<T>): Read<PerEnvironment<T>> {
  return (value, at) => {
    if (!isMapByEnvironment(value)) return read(value, at);
    if (!isPlainObject(value)) return reportType(at, "one value, or a map by environment", value);
    const entries: [string, T][] = [];
    for (const [key, written] of Object.entries(value)) {
      const inside = enter(at, key);
      if (key !== "default" && !at.names.environment.has(key)) {
        reportEnvironmentKey(inside, key);
        continue;
      }
      const result = written === undefined ? undefined : read(written, inside);
      if (result !== undefined) entries.push([key, result]);
    }
    if (Object.keys(value).length === 0) {
      return report(at, "empty", "The map by environment is empty.", "Give it a value, or leave the key out.");
    }
    return entries.length === 0 ? undefined : (Object.fromEntries(entries) as PerEnvironment<T>);
  };
}

function reportEnvironmentKey(at: Cursor, key: string): undefined {
  const known = new Set([...at.names.environment, "default", ...valueKeys]);
  return report(
    at,
    "unknown-environment",
    `There is no environment ${JSON.stringify(key.slice(0, 80))}.`,
    unknownHint(key, known, "environments"),
  );
}
