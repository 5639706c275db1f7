import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entry, runFed, startProgram } from "./program.ts";

/** Completion in the real shells; one that is not installed is skipped by name. */

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "fed-completion-"));
  mkdirSync(join(root, "bin"));
  mkdirSync(join(root, "lab folder"));
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  writeFileSync(join(root, "bin/fed"), `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(entry)} "$@"\n`, {
    mode: 0o755,
  });
  const lab = `import { defineLab, process, server } from "@fed/lab";
    const run = process("node server.mjs");
    export default defineLab({
      name: "ocean",
      machines: { hub: server({ address: "local" }) },
      environments: { dev: { machines: ["hub"] } },
      services: { site: { run }, api: { run }, archive: { run } },
    });`;
  writeFileSync(join(root, "lab.ts"), lab);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const has = (shell: string) => {
  try {
    execFileSync(shell, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

async function ask(shell: string, script: string, ...words: string[]): Promise<readonly string[]> {
  const env = { PATH: `${join(root, "bin")}:${process.env.PATH}`, HOME: root, FED_DATA: join(root, "data") };
  const { code, out, err } = await startProgram(shell, ["-c", script, ...words], { cwd: root, env }).ending;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.split("\n").filter((line) => line !== "");
}

const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["che"], ["check"]],
  [["check", "--ty"], ["--types"]],
  [["completion", "z"], ["zsh"]],
  [["help", "ini"], ["init"]],
  [
    ["logs", "a"],
    ["api", "archive"],
  ],
  [["init", "la"], ["lab folder"]],
  [["nothing", ""], []],
];

describe.skipIf(!has("bash"))("bash", () => {
  const script = `source <(fed completion bash); COMP_WORDS=(fed "$@"); COMP_CWORD=$#; _fed; printf '%s\\n' "\${COMPREPLY[@]}"`;
  test.each(cases)("fed %j", async (words, known) => {
    expect(await ask("bash", script, "bash", ...words)).toEqual(known);
  });

  test("is asked for fed by name, and takes --flag=value apart", async () => {
    expect(await ask("bash", "source <(fed completion bash); complete -p fed")).toEqual(["complete -F _fed fed"]);
    expect(await ask("bash", script, "bash", "init", "--name", "=", "")).toEqual([]);
  });

  test("says nothing when fed fails", async () => {
    const broken = `${script.replace("COMP_WORDS=(fed", "COMP_WORDS=(/nowhere/fed")}`;
    expect(await ask("bash", broken, "bash", "che")).toEqual([]);
  });
});

describe.skipIf(!has("zsh"))("zsh", () => {
  // What _describe and _files would offer stands in their place: they work only within a line being edited.
  const script = `
    compdef() { }
    _describe() { print -rl -- "\${(@)\${(@P)2}%%:*}" }
    _files() { [[ $1 == -/ ]] && print -rl -- "$words[CURRENT]"*(/N) || print -rl -- "$words[CURRENT]"*(N) }
    source <(fed completion zsh)
    words=(fed "$@"); CURRENT=$#words
    _fed || true`;
  test.each(cases)("fed %j", async (words, known) => {
    expect(await ask("zsh", script, "zsh", ...words)).toEqual(known);
  });
});

describe.skipIf(!has("fish"))("fish", () => {
  test.each(cases)("fed %j", async (words, known) => {
    const line = ["fed", ...words].join(" ");
    const found = await ask("fish", `fed completion fish | source; complete -C '${line}'`);
    expect(found.map((answer) => answer.split("\t")[0]?.replace(/\/$/, ""))).toEqual(known);
  });
});

test("the script is data with --json", async () => {
  const { out } = await runFed(["completion", "bash", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ shell: "bash", script: expect.stringContaining("complete -F _fed fed") });
});
