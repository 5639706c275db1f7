import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { Fault } from "#base/fault.ts";
import { type ArgSpec, type Command, type FlagSpec, flagWord } from "./command.ts";
import { misspelt } from "./misspelling.ts";
import { checkValue } from "./value.ts";

/** From words to checked values by a command's data. Every mistake is a Fault `invalid` that names the word and the fix. */

/** Flags of the frame, the same for every command. */
export const frameFlags = {
  json: { kind: "switch", description: "Print data instead of words" },
  help: { kind: "switch", short: "h", description: "Explain this command" },
} as const satisfies Record<string, FlagSpec>;

export type Parsed =
  | { readonly kind: "call"; readonly args: Values; readonly flags: Values }
  | { readonly kind: "help" };

type Value = string | number | boolean | undefined | readonly (string | number)[];
type Values = Readonly<Record<string, Value>>;

interface FlagToken {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

export function parseWords(verb: string, command: Command, words: readonly string[], cwd: string): Parsed {
  const specs = new Map<string, { readonly key: string; readonly spec: FlagSpec }>();
  for (const [key, spec] of Object.entries<FlagSpec>({ ...command.flags, ...frameFlags })) {
    specs.set(flagWord(key), { key, spec });
  }
  const options: ParseArgsOptionsConfig = {};
  for (const [word, { spec }] of specs) {
    options[word] = {
      type: spec.kind === "switch" ? "boolean" : "string",
      ...(spec.short === undefined ? {} : { short: spec.short }),
    };
  }
  // Not strict: the messages of Node speak to programmers; ours name the command's own words.
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const flags: Record<string, Value> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const known = specs.get(token.name);
    if (!known) throw unknownFlag(verb, token.rawName, [...specs.keys()]);
    flags[known.key] = takeFlag(verb, token, known.spec, flags[known.key], cwd);
  }
  if (flags.help === true) return { kind: "help" };
  for (const [key, spec] of Object.entries(command.flags)) flags[key] ??= absentFlag(spec);
  return { kind: "call", args: takeArgs(verb, command, positionals, cwd), flags };
}

function takeFlag(verb: string, token: FlagToken, spec: FlagSpec, before: Value, cwd: string): Value {
  const flag = token.rawName;
  const many = spec.kind !== "switch" && spec.many === true;
  if (before !== undefined && !many) throw invalid(verb, `${flag} is given twice`, "give it once");
  if (spec.kind === "switch") {
    if (token.value !== undefined) throw invalid(verb, `${flag} takes no value`, `write ${flag} alone`);
    return true;
  }
  if (token.value === undefined) {
    throw invalid(verb, `${flag} needs a value`, `write ${flag} ${placeholderOf(spec)}`);
  }
  if (!token.inlineValue && token.value.startsWith("-") && token.value.length > 1) {
    throw invalid(
      verb,
      `${flag} needs a value, and ${JSON.stringify(token.value)} looks like a flag`,
      `write ${flag}=${token.value} if that is the value`,
    );
  }
  const value = checkValue(flag, spec, token.value, cwd);
  return many ? [...(Array.isArray(before) ? before : []), value] : value;
}

function absentFlag(spec: FlagSpec): Value {
  if (spec.kind === "switch") return false;
  return spec.many ? [] : spec.default;
}

function takeArgs(verb: string, command: Command, words: readonly string[], cwd: string): Values {
  const args: Record<string, Value> = {};
  const specs = Object.entries<ArgSpec>(command.args);
  let taken = 0;
  for (const [name, spec] of specs) {
    const mine = spec.many ? words.slice(taken) : words.slice(taken, taken + 1);
    taken += mine.length;
    if (mine.length === 0 && !spec.optional) {
      throw invalid(verb, `${verb} needs ${spec.many ? "at least one" : "the argument"} ${name}`, spec.description);
    }
    const values = mine.map((word) => checkValue(`the argument ${name}`, spec, word, cwd));
    args[name] = spec.many ? values : values[0];
  }
  const extra = words[taken];
  if (extra === undefined) return args;
  const limit = specs.length === 0 ? "no argument" : specs.length === 1 ? "one argument" : `${specs.length} arguments`;
  throw invalid(verb, `${verb} takes ${limit}; ${JSON.stringify(extra)} is too many`, "quote a name that holds spaces");
}

export function placeholderOf(spec: Exclude<FlagSpec, { kind: "switch" }>): string {
  if (spec.value) return spec.value;
  if (spec.kind === "choice") return spec.of.join("|");
  return { port: "N", count: "N", folder: "DIR", text: "TEXT" }[spec.kind as string] ?? spec.kind.toUpperCase();
}

function unknownFlag(verb: string, typed: string, words: readonly string[]): Fault {
  const known = words.map((word) => `--${word}`);
  return misspelt(`${verb} has no flag ${typed}`, { typed, known }, moreOf(verb));
}

function moreOf(verb: string): string {
  return `fed help ${verb} shows what it takes`;
}

function invalid(verb: string, message: string, hint: string): Fault {
  return new Fault("invalid", message, { hint: `${hint}\n${moreOf(verb)}` });
}
