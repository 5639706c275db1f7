import { Fault, isFault } from "#base/fault.ts";

/** A word that is not one of the known ones, and the known ones. */
interface Misspelling {
  readonly typed: string;
  readonly known: readonly string[];
}

/** Fault `invalid` for a word that is not one of `known`; `suggest` adds the nearest one before it is shown. */
export function misspelt(message: string, misspelling: Misspelling, hint: string): Fault {
  return new Fault("invalid", message, { hint, details: misspelling });
}

/**
 * The same Fault with "did you mean" before its hint, when a known word is near. The language knows how near words are;
 * it is loaded only here, so that no command that is typed right pays for it.
 */
export async function suggest(thrown: unknown): Promise<unknown> {
  if (!isFault(thrown) || !isMisspelling(thrown.details)) return thrown;
  const { nearest } = await import("@fed/lab");
  const near = nearest(thrown.details.typed, thrown.details.known);
  if (near === undefined) return thrown;
  const hint = [`did you mean ${near}?`, thrown.hint ?? ""].join("\n").trimEnd();
  const fault = new Fault(thrown.code, thrown.message, { hint, details: thrown.details, cause: thrown.cause });
  if (thrown.stack !== undefined) fault.stack = thrown.stack;
  return fault;
}

function isMisspelling(details: unknown): details is Misspelling {
  return typeof details === "object" && details !== null && "typed" in details && "known" in details;
}
