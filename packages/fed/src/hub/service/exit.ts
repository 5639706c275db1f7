import type { Exit } from "#port/runtime.ts";

/** How an instance ended, in plain words. */
export function exitText(exit: Exit): string {
  if (exit.signal !== undefined) return `killed by ${exit.signal}`;
  if (exit.code !== undefined) return `exit code ${exit.code}`;
  return "ended while no hub was watching";
}
