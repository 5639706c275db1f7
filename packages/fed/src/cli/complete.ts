import type { ArgSpec, Command, CommandEntry, FlagSpec, Program, ValueSpec } from "./command.ts";
import { flagWord } from "./command.ts";
import { firstWords, flagsOf, shownEntries } from "./help.ts";

/** What can follow on a command line, from the table and the commands' data. */

interface Candidate {
  readonly word: string;
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Names of files or folders fit here too: the shell knows them best. */
  readonly paths: "file" | "folder" | undefined;
}

const nothing: Completion = { candidates: [], paths: undefined };

/**
 * `words` follow `fed`; the last one is being typed and may be empty. `services` is asked only where a service fits.
 * bash hands over `--data=x` as the three words `--data`, `=` and `x`, and wants only what follows the sign.
 */
export async function complete(
  program: Program,
  words: readonly string[],
  services: () => Promise<readonly string[]>,
): Promise<Completion> {
  const typed = words.at(-1) === "=" ? "" : (words.at(-1) ?? "");
  const before = words.slice(0, -1).filter((word) => word !== "=");
  const at = before.findIndex((word) => !word.startsWith("-"));
  if (at < 0) return { candidates: beginning(typed, commandsOf(program)), paths: undefined };
  const first = before[at] ?? "";
  const rest = before.slice(at + 1);
  const second = rest[0];
  const inFamily = secondWords(program, first);
  const long = second === undefined ? undefined : program.entries.find(({ name }) => name === `${first} ${second}`);
  const entry = long ?? program.entries.find(({ name }) => name === first);
  if (second === undefined && inFamily.length > 0 && !typed.startsWith("-")) {
    return { candidates: beginning(typed, inFamily), paths: undefined };
  }
  if (!entry) return nothing;
  const command = await entry.load();
  const place = placeOf(command, long ? rest.slice(1) : rest, typed);
  if (place.kind === "flags") return { candidates: beginning(typed, flagCandidates(command)), paths: undefined };
  if (place.kind === "nothing") return nothing;
  const prefix = typed.slice(0, typed.length - place.typed.length);
  const known = await valuesOf(place.spec, firstWords(program), services);
  const fitting = beginning(place.typed, known).map(({ word, description }) => ({ word: prefix + word, description }));
  const paths = place.spec.kind === "file" || place.spec.kind === "folder" ? place.spec.kind : undefined;
  return { candidates: fitting, paths };
}

type Place =
  | { readonly kind: "flags" }
  | { readonly kind: "nothing" }
  | { readonly kind: "value"; readonly spec: ValueSpec; readonly typed: string };

/** What the word being typed is: a flag, a flag's value or an argument. */
function placeOf(command: Command, before: readonly string[], typed: string): Place {
  const flags = flagsOf(command);
  const flagOf = (word: string) =>
    flags.find(
      ([key, { short }]) => word === `--${flagWord(key)}` || (short !== undefined && word === `-${short}`),
    )?.[1];
  let taken = 0;
  let awaited: FlagSpec | undefined;
  let onlyArgs = false;
  for (const word of before) {
    if (awaited) awaited = undefined;
    else if (!onlyArgs && word === "--") onlyArgs = true;
    else if (!onlyArgs && word.startsWith("-")) {
      const flag = flagOf(word);
      awaited = flag && flag.kind !== "switch" ? flag : undefined;
    } else taken++;
  }
  if (awaited && awaited.kind !== "switch") return { kind: "value", spec: awaited, typed };
  const sign = typed.indexOf("=");
  if (!onlyArgs && typed.startsWith("-") && sign > 0) {
    const flag = flagOf(typed.slice(0, sign));
    return flag && flag.kind !== "switch"
      ? { kind: "value", spec: flag, typed: typed.slice(sign + 1) }
      : { kind: "nothing" };
  }
  if (!onlyArgs && typed.startsWith("-")) return { kind: "flags" };
  const arg = argAt(Object.entries<ArgSpec>(command.args), taken);
  return arg ? { kind: "value", spec: arg, typed } : { kind: "nothing" };
}

function argAt(args: readonly (readonly [string, ArgSpec])[], taken: number): ArgSpec | undefined {
  const last = args.at(-1)?.[1];
  return args[taken]?.[1] ?? (last?.many ? last : undefined);
}

async function valuesOf(
  spec: ValueSpec,
  entries: readonly Pick<CommandEntry, "name" | "summary">[],
  services: () => Promise<readonly string[]>,
): Promise<readonly Candidate[]> {
  if (spec.kind === "choice") return spec.of.map((word) => ({ word, description: "" }));
  if (spec.kind === "command") return entries.map(({ name, summary }) => ({ word: name, description: summary }));
  if (spec.kind === "service") return (await services()).map((word) => ({ word, description: "service" }));
  return [];
}

/** `add`, `list` … after `user`. */
function secondWords(program: Program, first: string): readonly Candidate[] {
  return shownEntries(program).flatMap(({ name, summary }) =>
    name.startsWith(`${first} `) ? [{ word: name.slice(first.length + 1), description: summary }] : [],
  );
}

function commandsOf(program: Program): readonly Candidate[] {
  const flags = ["--help", "--json", "--version"].map((word) => ({ word, description: "" }));
  return [...firstWords(program).map(({ name, summary }) => ({ word: name, description: summary })), ...flags];
}

function flagCandidates(command: Command): readonly Candidate[] {
  return flagsOf(command).map(([key, { description }]) => ({ word: `--${flagWord(key)}`, description }));
}

/** Flags are offered only once a dash is typed. */
function beginning(typed: string, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(typed) && (typed !== "" || !word.startsWith("-")));
}
