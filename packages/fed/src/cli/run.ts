import { type Fault, faultTable, toFault } from "#base/fault.ts";
import type { Call, CommandEntry, Program } from "./command.ts";
import type { Env } from "./env.ts";
import { firstWords, showCommand, showFamily, showOverview } from "./help.ts";
import { Interrupted } from "./interrupted.ts";
import { misspelt, suggest } from "./misspelling.ts";
import { parseWords } from "./parse.ts";
import type { Screen } from "./print.ts";

/** One use of fed from its words to its exit code. Never throws. */
export async function runProgram(
  program: Program,
  words: readonly string[],
  env: Env,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  try {
    const code = await runWords(program, words, env, screen, signal);
    return signal.aborted && code === 0 ? interruptedCode(signal) : code;
  } catch (thrown) {
    if (thrown instanceof Interrupted) return thrown.exitCode;
    if (signal.aborted && stemsFrom(thrown, signal.reason)) return interruptedCode(signal);
    screen.fault(await suggest(thrown), env.debug);
    return faultTable[toFault(thrown).code].exit;
  }
}

async function runWords(
  program: Program,
  words: readonly string[],
  env: Env,
  screen: Screen,
  signal: AbortSignal,
): Promise<number> {
  const at = words.findIndex((word) => !word.startsWith("-"));
  const before = at < 0 ? words : words.slice(0, at);
  const verb = at < 0 ? undefined : words[at];
  const odd = before.find((word) => !leading.has(word));
  if (odd !== undefined) throw misplacedFlag(odd, verb);
  if (before.includes("--version")) {
    if (screen.json) screen.data({ version: program.version, node: process.version });
    screen.line(`fed ${program.version} (node ${process.version})`);
    return 0;
  }
  if (verb === undefined) {
    showOverview(screen, program);
    return 0;
  }
  const family = program.families.find(({ name }) => name === verb);
  const second = words[at + 1];
  if (family && (second === undefined || second.startsWith("-"))) {
    showFamily(screen, program, family);
    return [...before, ...words.slice(at + 1)].some((word) => word === "--help" || word === "-h") ? 0 : 2;
  }
  const entry = findEntry(program, verb, second);
  const command = await entry.load();
  const used = entry.name.split(" ").length;
  const parsed = parseWords(entry.name, command, [...before, ...words.slice(at + used)], env.cwd);
  if (parsed.kind === "help") {
    showCommand(screen, entry, command);
    return 0;
  }
  // The parser has checked each value by its spec; the command's own types are made from the same specs.
  const call = { args: parsed.args, flags: parsed.flags, env, screen, signal, program } as Call;
  return await command.run(call);
}

/** Flags that may stand before the command. */
const leading: ReadonlySet<string> = new Set(["--json", "--help", "-h", "--version"]);

/** The command of the first word, or of the first two. */
export function findEntry(program: Program, verb: string, second?: string): CommandEntry {
  const find = (wanted: string) => program.entries.find(({ name }) => name === wanted);
  const entry = (second === undefined ? undefined : find(`${verb} ${second}`)) ?? find(verb);
  if (entry) return entry;
  if (second !== undefined && program.families.some(({ name }) => name === verb)) {
    const known = program.entries.flatMap(({ name }) =>
      name.startsWith(`${verb} `) ? [name.slice(verb.length + 1)] : [],
    );
    throw misspelt(
      `fed ${verb} has no command ${JSON.stringify(second)}`,
      { typed: second, known },
      `fed ${verb} lists them`,
    );
  }
  const known = firstWords(program).map(({ name }) => name);
  throw misspelt(`fed has no command ${JSON.stringify(verb)}`, { typed: verb, known }, "fed help lists them all");
}

function misplacedFlag(flag: string, verb: string | undefined): Fault {
  const hint = verb === undefined ? "fed help lists the commands" : "flags stand after the command: fed COMMAND --flag";
  return misspelt(`fed has no flag ${flag} of its own`, { typed: flag, known: [...leading] }, hint);
}

function interruptedCode(signal: AbortSignal): number {
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : 130;
}

/** The thrown value is the abort itself, or was caused by it. */
function stemsFrom(thrown: unknown, reason: unknown): boolean {
  for (let error = thrown, depth = 0; depth < 10; depth++) {
    if (error === reason || (error instanceof Error && error.name === "AbortError")) return true;
    if (!(error instanceof Error) || error.cause === undefined) return false;
    error = error.cause;
  }
  return false;
}
