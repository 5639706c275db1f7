/** A path of our own, never another site. */
export function safePath(text: unknown): string {
  return typeof text === "string" && /^\/(?![/\\])/.test(text) ? text : "/";
}
