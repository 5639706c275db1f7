import { Fault } from "#base/fault.ts";
import { askSecret, readPiped } from "./prompt.ts";
import { readSmallFile } from "./small-file.ts";

/** As much as the hub takes. */
const mostLetters = 65_536;

interface Wanted {
  readonly what: string;
  readonly file: string | undefined;
  readonly question: string;
  /** What comes by a pipe keeps its last newline, as that of a file does. */
  readonly asIs: boolean;
}

/** A secret from its file, from a pipe, or typed by a person without being shown; never from the command line. */
export async function readSecretInput({ what, file, question, asIs }: Wanted, signal: AbortSignal): Promise<string> {
  if (file !== undefined) return readSmallFile(file, { what, mostBytes: mostLetters });
  if (!process.stdin.isTTY) return readPiped({ what, flag: "stdin", limit: mostLetters, asIs });
  const value = await askSecret(question, signal);
  if (value !== "") return value;
  throw new Fault("invalid", "nothing was typed, and nothing was changed");
}
