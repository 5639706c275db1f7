/** Caddy's configuration as data. Caddy itself keeps numbers as JavaScript does, and sorts keys. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function parseJson(text: string): Json {
  return JSON.parse(text);
}

export function printJson(value: Json): string {
  return JSON.stringify(value);
}

/** Whether both say the same, whatever the order of their keys: Caddy sorts them. */
export function sameJson(a: Json, b: Json): boolean {
  return printJson(sorted(a)) === printJson(sorted(b));
}

function sorted(value: Json): Json {
  if (isList(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).toSorted();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] as Json)]));
}

/** The object that this is, or an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !isList(value) ? value : {};
}

/** The list that this is, or an empty one. */
export function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The object without this key. */
export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
