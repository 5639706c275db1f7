import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Ending, entry, type ProgramOptions, startProgram } from "./program.ts";
import { makeStage, type Stage, up } from "./stage.ts";

/** A person at a shell: somebody with a home of their own, who works on the hub's machine or elsewhere. */
export interface Person {
  readonly home: string;
  /** Runs fed to its end. */
  fed(...words: readonly string[]): Promise<Ending>;
  /** The same with this on stdin. The text is in no argument. */
  tell(text: string, ...words: readonly string[]): Promise<Ending>;
  /** Starts fed; `error` is what it has written on stderr so far. */
  start(...words: readonly string[]): ReturnType<typeof startProgram> & { error(): string };
  /** Starts a line of shell in which `fed` is fed. */
  shell(line: string): ReturnType<typeof startProgram>;
}

/** `variables` beside a home without anything in it. */
export async function makePerson(
  stage: Stage,
  name: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Person> {
  const home = join(dirname(stage.data), name);
  await mkdir(home, { recursive: true });
  const options = (more: Readonly<Record<string, string>> = {}): ProgramOptions => ({
    ...{ cwd: home, env: { HOME: home, ...variables, ...more } },
  });
  const words = (rest: readonly string[]) => [entry, ...rest];
  return {
    home,
    fed: (...rest) => startProgram(process.execPath, words(rest), options()).ending,
    tell: (text, ...rest) =>
      startProgram(
        "sh",
        ["-c", 'printf %s "$TEXT" | "$0" "$@"', process.execPath, ...words(rest)],
        options({ TEXT: text }),
      ).ending,
    start(...rest) {
      const program = startProgram(process.execPath, words(rest), options());
      let error = "";
      program.child.stderr.on("data", (text: string) => {
        error += text;
      });
      return { ...program, error: () => error };
    },
    shell: (line) => startProgram("sh", ["-c", `fed() { "${process.execPath}" "${entry}" "$@"; }\n${line}`], options()),
  };
}

/** The one value that `--json` prints. */
export function dataOf<T>(ending: Ending): T {
  return JSON.parse(ending.out) as T;
}

/** The values that `--json` prints, one a line. */
export function linesOf<T>(out: string): readonly T[] {
  return out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
}

export const password = "correct horse battery staple";

/** A hub; its owner on the same machine, who needs no login; and somebody elsewhere, who does. */
export async function makeHome(...words: readonly string[]) {
  const stage = await makeStage();
  const hub = await up(stage, ...words);
  const owner = await makePerson(stage, "owner", { FED_DATA: stage.data });
  const guest = await makePerson(stage, "guest");
  return { stage, hub, owner, guest };
}
