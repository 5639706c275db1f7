import type { Exit } from "#port/runtime.ts";

/** How an instance ended, in plain words. */
export function exitText(exit: Exit): string {
  if (exit.signal !== undefined) return `killed by ${exit.signal}`;
  if (exit.code !== undefined) return `exit code ${exit.code}`;
  return "ended while no hub was watching";
}

/** What went wrong with an instance that had been healthy for a while, in plain words. */
export function lastedText(what: string, healthyMs: number): string {
  return `${what}, ${Math.max(0, healthyMs / 1_000).toFixed(1)} s after it had become healthy`;
}
