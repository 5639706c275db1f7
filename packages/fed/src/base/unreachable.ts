/**
 * Closes a switch over a union: the compiler refuses the call while a case is missing. At run time it names the case by
 * its `kind` or as it is, never the whole value, which may hold what nobody should read.
 */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable case: ${nameCase(value)}`);
}

function nameCase(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return "kind" in value ? String(value.kind) : "an object without a kind";
}
