import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ToldContainer, ToldProcess, ToldStorage, ToldUnit, ToldUpdate } from "#port/collector.ts";
import type { ScriptSection, SectionReader, SectionSink } from "./section.ts";

/** What a reader told in one tick. */
export interface Told {
  /** Each by its name and labels as Prometheus writes them. */
  readonly samples: Map<string, number>;
  units?: readonly ToldUnit[];
  containers?: readonly ToldContainer[];
  processes?: readonly ToldProcess[];
  updates?: { readonly list: readonly ToldUpdate[]; readonly restart: boolean };
  storage?: readonly ToldStorage[];
  readonly problems: string[];
}

/** One tick's text through a reader. */
export function tellOne(read: SectionReader, text: string, tick: Partial<Parameters<SectionReader>[2]> = {}): Told {
  const told: Told = { samples: new Map(), problems: [] };
  const sink: SectionSink = {
    sample(metric, value, labels = {}) {
      const words = Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
      told.samples.set(words.length === 0 ? metric : `${metric}{${words.join(",")}}`, value);
    },
    facts() {},
    units(list) {
      told.units = list;
    },
    containers(list) {
      told.containers = list;
    },
    processes(list) {
      told.processes = list;
    },
    updates(part) {
      told.updates = part;
    },
    storage(list) {
      told.storage = list;
    },
    problem(reason) {
      told.problems.push(reason);
    },
  };
  read(text, sink, { machineMs: 1_800_000_000_000, code: 0, cut: false, ...tick });
  return told;
}

export interface SaidOptions {
  /** The argv of a shell that takes `-c`. */
  readonly shell?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What to run between one tick and the next. */
  readonly between?: string;
  readonly ticks?: number;
}

/** What a section's script says on this machine, tick by tick, in one shell, as the program runs it. */
export function say(section: ScriptSection, options: SaidOptions = {}): readonly string[] {
  const { shell = ["sh"], environment = {}, between = ":", ticks = 1 } = options;
  const [command = "sh", ...words] = shell;
  const mark = "--- one tick of the scene has ended ---";
  const program = `
lim() { if command -v timeout >/dev/null; then timeout -s KILL "$@"; else return 125; fi; }
section() {
${section.script}
}
n=0
while [ "$n" -lt ${ticks} ]; do section </dev/null 2>/dev/null; echo "${mark}"; n=$((n + 1)); ${between}; done
:`;
  const { stdout, status, stderr } = spawnSync(command, [...words, "-c", program], {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", ...environment },
    // A bash whose stdin is a socket takes itself for a remote shell and reads more than it is told.
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 2 ** 20,
  });
  const said = stdout.split(`${mark}\n`).slice(0, -1);
  if (status !== 0 || said.length !== ticks) throw new Error(`the section's shell ended with ${status}: ${stderr}`);
  return said;
}

/** The shells of this machine that the program has to run in. */
export const shells: readonly { readonly name: string; readonly shell: readonly string[] }[] = [
  { name: "dash", shell: ["dash"] },
  { name: "busybox ash", shell: ["busybox", "sh"] },
  { name: "bash", shell: ["bash", "--norc", "--posix"] },
].filter(({ shell: [command = ""] }) => spawnSync(command, ["--help"]).error === undefined || command === "dash");

/** What a system's tool said: a file of fixture/, without its first line, which tells where it is from. */
export function readFixture(name: string): string {
  const text = readFileSync(new URL(`fixture/${name}.txt`, import.meta.url), "utf8");
  if (!text.startsWith("# ")) throw new Error(`fixture/${name}.txt does not say where it is from`);
  return text.slice(text.indexOf("\n") + 1);
}
