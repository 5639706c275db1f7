/** The canonical text of a lab, and its hash: the identity of what is wanted. */

import type { LabDocument } from "./document.ts";
import { hashText } from "./sha256.ts";

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  // Object.entries and fromEntries define even "__proto__" as a plain key. Keys like "10" come first whatever we do; no
  // name in a lab is one.
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/**
 * JSON with keys sorted by UTF-16 units and two spaces of indentation, without a line break at the end: the same text
 * for the same lab, in whatever order its keys were written. Lists keep their order.
 */
export function printLab(lab: LabDocument): string {
  return JSON.stringify(sorted(lab), null, 2);
}

/** SHA-256 of `printLab`, as 64 hexadecimal digits. */
export function hashLab(lab: LabDocument): string {
  return hashText(printLab(lab));
}
