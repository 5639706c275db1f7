import { execFileSync, spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { loadLab } from "#hub/lab/load.ts";
import { commands, families } from "../commands.ts";
import { readEnv } from "../env.ts";
import { runProgram } from "../run.ts";
import { recordScreen } from "../test-screen.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "fed-init-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function fed(...words: string[]) {
  const { screen, out, err } = recordScreen({ json: words.includes("--json") });
  const env = readEnv({ HOME: root, PATH: process.env.PATH }, root);
  const program = { name: "fed", version: "1.2.3", entries: commands, families };
  const code = await runProgram(program, words, env, screen, new AbortController().signal);
  return { code, out: out(), err: err(), env };
}

const compiler = (installation: string) => join(installation, "node_modules/typescript/bin/tsc");

function compile(folder: string, installation: string) {
  return spawnSync(process.execPath, [compiler(installation), "--pretty", "false", "-p", folder], { encoding: "utf8" });
}

describe.each([["my-lab"], ['Mein Läb\'s "erstes" 実験']])("in a new folder %s", (name) => {
  test("the lab compiles, checks and prints the same every time", async () => {
    const folder = join(root, name);
    const { code, out, env } = await fed("init", name);
    expect(code).toBe(0);
    expect(out).toContain("Next:");
    expect(compile(folder, env.installation)).toMatchObject({ status: 0, stdout: "" });
    const check = await fed("check", name);
    expect(check).toMatchObject({ code: 0, out: "ok\n" });
    expect(await fed("check", name, "--types")).toMatchObject({ code: 0, out: "ok\n" });
    const first = await fed("print", name);
    expect(first.out).toBe((await fed("print", name)).out);
    expect(first.out).toMatch(/^[0-9a-f]{64}\n\{/);
  });

  test("a misspelling is marked at its token", async () => {
    const folder = join(root, name);
    const { env } = await fed("init", name, "--force");
    const lab = join(folder, "lab.ts");
    const text = readFileSync(lab, "utf8").replace('machines: ["hub"]', 'machines: ["hubb"]');
    writeFileSync(lab, text);
    const line = text.split("\n").findIndex((row) => row.includes('"hubb"')) + 1;
    const column = (text.split("\n")[line - 1] ?? "").indexOf('"hubb"') + 1;
    const { status, stdout } = compile(folder, env.installation);
    expect(status).not.toBe(0);
    expect(stdout).toContain(`lab.ts(${line},${column}): error`);
    const check = await fed("check", name, "--types");
    expect(check.code).toBe(2);
    expect(check.out).toContain(`lab.ts:${line}:${column} error`);
    expect(check.out).toContain("environments.dev.machines[0]");
  });
});

test("what it writes is what fed up needs: a server that starts with PORT", async () => {
  await fed("init", "runs");
  const loaded = await loadLab(join(root, "runs"), { clock: systemClock });
  if (loaded.kind === "rejected") throw new Error("the new lab is rejected");
  const run = loaded.document.services.site?.run;
  expect(run).toEqual({ kind: "process", command: ["node", "site/server.mjs"] });
  execFileSync(process.execPath, ["--check", join(root, "runs/site/server.mjs")]);
});

test("in a lab's folder it writes only what is missing for the editor, and mends the link", async () => {
  await fed("init", "cloned");
  const folder = join(root, "cloned");
  writeFileSync(join(folder, "tsconfig.json"), "mine");
  rmSync(join(folder, ".gitignore"));
  rmSync(join(folder, ".fed"), { recursive: true });
  mkdirSync(join(folder, ".fed"));
  symlinkSync("/nowhere", join(folder, ".fed/lab"));
  rmSync(join(folder, "site"), { recursive: true });
  const { code, out, env } = await fed("init", "cloned");
  expect(code).toBe(0);
  expect(out).toContain("is a lab already");
  expect(readFileSync(join(folder, "tsconfig.json"), "utf8")).toBe("mine");
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toContain(".fed/");
  expect(readlinkSync(join(folder, ".fed/lab"))).toBe(join(env.installation, "packages/lab/src"));
  expect(() => lstatSync(join(folder, "site"))).toThrow("ENOENT");
});

test("never writes over what it did not write, unless forced", async () => {
  const folder = join(root, "full");
  mkdirSync(folder);
  writeFileSync(join(folder, "README.md"), "mine");
  writeFileSync(join(folder, "tsconfig.json"), "mine");
  const refused = await fed("init", "full");
  expect(refused.code).toBe(5);
  expect(refused.err).toContain("README.md, tsconfig.json");
  expect(() => lstatSync(join(folder, "lab.ts"))).toThrow("ENOENT");
  expect((await fed("init", "full", "--force")).code).toBe(0);
  expect(readFileSync(join(folder, "README.md"), "utf8")).not.toBe("mine");
});

test("a name that is not valid, a folder that is a file", async () => {
  expect(await fed("init", "x", "--name", "Not Valid")).toMatchObject({ code: 2 });
  writeFileSync(join(root, "file"), "");
  const { code, err } = await fed("init", "file");
  expect(code).toBe(5);
  expect(err).toContain("is there already and is not a folder");
});
