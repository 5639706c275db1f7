/**
 * Where in a source file a value was made, remembered beside the value and never in it. Taking it costs about a
 * microsecond: the engine writes a stack as text only when a diagnostic asks for it.
 */

import type { Path, Place } from "./diagnostic.ts";

const stacks = new WeakMap<object, Error>();

interface StackLimit {
  stackTraceLimit?: number;
}

/** Remembers the call site of the helper that calls this (`server`, `process` …) for its result, and returns the result. */
export function placed<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value; // From JavaScript: a check will say so.
  const limit = Error as unknown as StackLimit;
  const before = limit.stackTraceLimit;
  try {
    limit.stackTraceLimit = 3; // placed, the helper, whoever called it
    stacks.set(value, new Error());
  } finally {
    if (before === undefined) delete limit.stackTraceLimit;
    else limit.stackTraceLimit = before;
  }
  return value;
}

/** The place a value was made at; undefined when no helper made it or the engine writes its stacks otherwise. */
export function placeOf(value: unknown): Place | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const line = stacks.get(value)?.stack?.split("\n")[3];
  const match = line === undefined ? null : /(?:\(|at (?:async )?)([^()]*?):(\d+):(\d+)\)?$/.exec(line);
  if (match === null) return undefined;
  const [, file = "", row, column] = match;
  return { file: toFilePath(file), line: Number(row), column: Number(column) };
}

/** `file:///a%20b.ts` as `/a b.ts`; anything else (a page's address) as it is, without its query. */
function toFilePath(address: string): string {
  const plain = address.replace(/\?.*$/, "");
  if (!plain.startsWith("file://")) return plain;
  try {
    return decodeURIComponent(plain.slice("file://".length));
  } catch {
    return plain;
  }
}

function childOf(value: unknown, key: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[key];
}

/** The place of a value or of something at most `depth` levels inside it, the first found. */
function placeWithin(value: unknown, depth: number): Place | undefined {
  const own = placeOf(value);
  if (own !== undefined || depth === 0 || typeof value !== "object" || value === null) return own;
  for (const child of Object.values(value)) {
    const found = placeWithin(child, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The place nearest to `path` in the written lab: of the value there, else of something beside it (the `run` of the
 * same service), going outwards; at last that of the lab itself. Never throws.
 */
export function nearestPlace(written: unknown, path: Path): Place | undefined {
  try {
    const chain = [written];
    for (const key of path) chain.push(childOf(chain[chain.length - 1], key));
    for (let level = chain.length - 1; level >= 2; level--) {
      const found = placeWithin(chain[level], 2);
      if (found !== undefined) return found;
    }
    return placeOf(written);
  } catch {
    return undefined; // A getter of the lab threw: the diagnostic matters more than its line.
  }
}
