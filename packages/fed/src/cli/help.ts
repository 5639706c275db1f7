import type { Command, CommandEntry, Family, FlagSpec, Group, Program } from "./command.ts";
import { flagWord } from "./command.ts";
import { frameFlags, placeholderOf } from "./parse.ts";
import type { Screen, Span } from "./print.ts";

/** What help shows, from the table and a command's data. */

const groups = ["Write", "Run", "See", "Let in", "Keep"] as const satisfies readonly Group[];

export function showOverview(screen: Screen, program: Program): void {
  if (screen.json) {
    const commands = shownEntries(program).map(({ name, group, summary }) => ({ name, group, summary }));
    screen.data({ name: program.name, version: program.version, commands });
    return;
  }
  screen.line({ text: "fed", style: "strong" }, ": one control plane for a home lab");
  screen.line();
  screen.line("  fed up                    make the lab here real, or the starter lab");
  screen.line("  fed init my-lab           begin a lab of your own");
  for (const group of groups) {
    screen.line();
    screen.line({ text: group, style: "strong" });
    const entries = firstWords(program).filter((entry) => entry.group === group);
    for (const entry of entries) screen.line("  ", { text: entry.name.padEnd(12), style: "accent" }, entry.summary);
  }
  screen.line();
  screen.line("fed help COMMAND explains one with examples. Every command takes --json and --help.");
}

/** The commands that begin with one word. */
export function showFamily(screen: Screen, program: Program, family: Family): void {
  const entries = shownEntries(program).filter(({ name }) => name.startsWith(`${family.name} `));
  if (screen.json) {
    screen.data({ name: family.name, commands: entries.map(({ name, summary }) => ({ name, summary })) });
    return;
  }
  screen.line({ text: `fed ${family.name}`, style: "strong" }, `: ${family.summary}`);
  screen.line();
  const width = Math.max(...entries.map(({ name }) => name.length)) + 2;
  for (const { name, summary } of entries) {
    screen.line("  fed ", { text: name.padEnd(width), style: "accent" }, summary);
  }
  screen.line();
  screen.line(`fed help ${entries[0]?.name} explains one with examples.`);
}

/** What may stand first: commands of one word, and each family once. */
export function firstWords(program: Program): readonly Family[] {
  const families = new Set(program.families.map(({ name }) => name));
  const placed = new Set<string>();
  return shownEntries(program).flatMap((entry): readonly Family[] => {
    const [first = ""] = entry.name.split(" ");
    if (!entry.name.includes(" ")) return [entry];
    if (!families.has(first) || placed.has(first)) return [];
    placed.add(first);
    return program.families.filter(({ name }) => name === first);
  });
}

export function showCommand(screen: Screen, entry: CommandEntry, command: Command): void {
  if (screen.json) screen.data(commandData(entry, command));
  screen.line({ text: `fed ${entry.name}`, style: "strong" }, `: ${entry.summary}`);
  screen.line();
  screen.line("  ", usageOf(entry.name, command));
  if (command.details?.length) screen.line();
  for (const line of command.details ?? []) screen.line(line);
  const args = Object.entries(command.args);
  showList(
    screen,
    "Arguments",
    args.map(([name, spec]) => [name, spec.description]),
  );
  const flags = flagsOf(command);
  showList(
    screen,
    "Flags",
    flags.map(([key, spec]) => [flagForm(key, spec), describeFlag(spec)]),
  );
  showList(
    screen,
    "Examples",
    command.examples.map(({ line, says }) => [line, says]),
  );
}

function showList(screen: Screen, title: string, rows: readonly (readonly [string, string])[]): void {
  if (rows.length === 0) return;
  screen.line();
  screen.line({ text: title, style: "strong" });
  const width = Math.max(...rows.map(([left]) => left.length));
  for (const [left, right] of rows) {
    const word: Span = { text: left.padEnd(width + 2), style: "accent" };
    screen.line("  ", word, right);
  }
}

export function shownEntries(program: Program): readonly CommandEntry[] {
  return program.entries.filter(({ group }) => group !== "Hidden");
}

/** With those of the frame. */
export function flagsOf(command: Command): readonly (readonly [string, FlagSpec])[] {
  return Object.entries<FlagSpec>({ ...command.flags, ...frameFlags });
}

/** `fed up [flags] [lab]`. */
function usageOf(name: string, command: Command): string {
  const args = Object.entries(command.args).map(([arg, spec]) => {
    const word = spec.many ? `${arg}…` : arg;
    return spec.optional ? `[${word}]` : `<${word}>`;
  });
  return ["fed", name, "[flags]", ...args].join(" ");
}

function flagForm(key: string, spec: FlagSpec): string {
  const short = spec.short === undefined ? "" : `-${spec.short}, `;
  return `${short}--${flagWord(key)}${spec.kind === "switch" ? "" : ` ${placeholderOf(spec)}`}`;
}

function describeFlag(spec: FlagSpec): string {
  const notes: string[] = [];
  if (spec.kind !== "switch" && spec.default !== undefined) notes.push(`default ${spec.default}`);
  if (spec.kind !== "switch" && spec.many) notes.push("may be repeated");
  return notes.length === 0 ? spec.description : `${spec.description} (${notes.join(", ")})`;
}

function commandData(entry: CommandEntry, command: Command): unknown {
  const flags = flagsOf(command);
  return {
    name: entry.name,
    group: entry.group,
    summary: entry.summary,
    usage: usageOf(entry.name, command),
    details: command.details,
    args: Object.entries(command.args).map(([name, spec]) => ({ name, ...spec })),
    flags: flags.map(([key, spec]) => ({ name: flagWord(key), ...spec })),
    examples: command.examples,
  };
}
