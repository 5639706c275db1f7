/** Values that may differ by environment. */

import type { PerEnvironment } from "./document.ts";

/** A value that is an object has one of these keys, so no environment may be called so. */
export const valueKeys = ["kind", "secret", "secretFile", "service"] as const;

/** Names no environment can have: a map's keys would be ambiguous. */
export const reservedEnvironmentNames: readonly string[] = ["default", ...valueKeys];

/** True for a map by environment, false for one value for all. Arrays, texts and numbers are values. */
export function isMapByEnvironment(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !valueKeys.some((key) => Object.hasOwn(value, key));
}

/** The key of a map that speaks for this environment: its own name, else `default`; undefined when neither is there, or when it is no map. */
export function keyIn(value: unknown, environment: string): string | undefined {
  if (!isMapByEnvironment(value)) return undefined;
  return [environment, "default"].find((key) => Object.hasOwn(value, key) && value[key] !== undefined);
}

/**
 * The value in this environment: the one value, or the map's entry for the environment, or its `default`. Undefined
 * when the map has neither (or when there is no value at all).
 */
export function valueIn<T>(value: PerEnvironment<T> | undefined, environment: string): T | undefined {
  if (!isMapByEnvironment(value)) return value as T | undefined;
  const key = keyIn(value, environment);
  return key === undefined ? undefined : (value[key] as T);
}
