import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entry, expectFault, repository, runFed, startProgram } from "./program.ts";

/** The command line as people meet it: the real program, its words and exit codes. */

const goodLab = (services = 1) => `import { defineLab, process, server } from "@fed/lab";
const services: Record<string, { run: ReturnType<typeof process> }> = {};
for (let i = 0; i < ${services}; i++) services["site-" + i] = { run: process("node server.mjs") };
export default defineLab({
  name: "ocean",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
  services,
});
`;
const oddName = `it's a "näme" $HOME 実験`;

let root = "";
const at = (...parts: string[]) => join(root, ...parts);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "fed-cli-"));
  chmodSync(root, 0o755);
  for (const folder of ["good", oddName, "empty", "locked", "huge"]) mkdirSync(at(folder));
  for (const folder of ["good", oddName, "locked"]) writeFileSync(at(folder, "lab.ts"), goodLab());
  writeFileSync(at("good/many.ts"), goodLab(3000));
  writeFileSync(at("good/wrong.ts"), goodLab().replace('["hub"]', '["hubb"]'));
  writeFileSync(at("good/loop.ts"), "for (;;);\n");
  writeFileSync(at("huge/lab.ts"), `// ${"x".repeat(20 * 2 ** 20)}\n${goodLab()}`);
  writeFileSync(at("file"), "");
  chmodSync(at("locked"), 0o000);
});
afterAll(() => {
  chmodSync(at("locked"), 0o755);
  rmSync(root, { recursive: true, force: true });
});

describe("a mistake is told in plain words, by the exit codes of the fault table", () => {
  const invalid = 2;
  const missing = 4;
  const conflict = 5;
  test.each<readonly [readonly string[], number, string]>([
    [["nope"], invalid, 'no command "nope"'],
    [["chekc"], invalid, "did you mean check?"],
    [["--nope"], invalid, "no flag --nope"],
    [["check", "--typs"], invalid, "did you mean --types?"],
    [["check", "a", "b"], invalid, '"b" is too many'],
    [["check", ""], invalid, "the argument lab is empty"],
    [["check", "--json=yes"], invalid, "--json takes no value"],
    [["init", "x", "--name"], invalid, "--name needs a value"],
    [["init", "x", "--name", "a", "--name", "b"], invalid, "--name is given twice"],
    [["init", "x", "--name", "Not Valid"], invalid, "such as not-valid"],
    [["doctor", "--data", ""], invalid, "--data is empty"],
    [["completion", "tcsh"], invalid, "bash, zsh or fish"],
    [["completion"], invalid, "needs the argument shell"],
    [["help", "chekc"], invalid, "did you mean check?"],
    [["check", "missing.ts"], missing, "no lab at"],
    [["check", "empty"], missing, "no lab at"],
    [["check", "file/lab.ts"], missing, "no lab at"],
    [["check", "/dev/null"], invalid, "/dev/null"],
    [["check", "huge"], invalid, "too large for a lab: 20.0 MiB"],
    [["print", "huge/lab.ts"], invalid, "too large for a lab"],
    [["init", "file"], conflict, "is not a folder"],
    [["init", "file/lab"], missing, "a part of the path is a file"],
    [["init", "/proc/lab"], missing, "cannot write /proc/lab"],
  ])("fed %j", async (words, exit, says) => {
    expectFault(await runFed(words, { cwd: root }), exit, says);
  });

  test("a folder without permission (as root: by dropping its rights)", async () => {
    const nobody = { user: { uid: 65_534, gid: 65_534 } };
    const options = { cwd: root, ...(process.getuid?.() === 0 ? nobody : {}) };
    const [check, init] = await Promise.all([
      runFed(["check", "locked"], options),
      runFed(["init", "good/below"], options),
    ]);
    expectFault(check, 6, "you may not read");
    if (process.getuid?.() === 0) expectFault(init, 6, "no permission");
  });

  test("with --json it is problem data", async () => {
    const { code, out, err } = await runFed(["check", "missing.ts", "--json"], { cwd: root });
    expect({ code, out }).toEqual({ code: 4, out: "" });
    expect(JSON.parse(err)).toMatchObject({ code: "missing", message: expect.stringContaining("missing.ts") });
  });

  test("only FED_DEBUG=1 shows where it comes from", async () => {
    const { err } = await runFed(["check", "missing.ts"], { cwd: root, env: { FED_DEBUG: "1" } });
    expect(err).toMatch(/^\s+at .+locate\.ts:\d+/m);
  });
});

describe("labs", () => {
  test("are found by argument, by folder, else the starter", async () => {
    const endings = await Promise.all([
      runFed(["check", at("good/lab.ts")]),
      runFed(["check"], { cwd: at(oddName) }),
      runFed(["check", oddName], { cwd: root }),
      runFed(["check"], { cwd: at("empty") }),
    ]);
    for (const ending of endings) expect(ending).toEqual({ code: 0, out: "ok\n", err: "" });
  });

  test("everything wrong is listed, with place, path and hint, and as data", async () => {
    const [words, data] = await Promise.all([
      runFed(["check", "wrong.ts"], { cwd: at("good") }),
      runFed(["check", "wrong.ts", "--json"], { cwd: at("good") }),
    ]);
    expect(words).toMatchObject({ code: 2, err: "" });
    expect(words.out).toMatch(/^wrong\.ts:\d+:\d+ error environments\.dev\.machines\[0\]: .+hubb/);
    expect(words.out).toMatch(/^1 error$/m);
    expect(data.code).toBe(2);
    expect(JSON.parse(data.out)).toMatchObject({
      ok: false,
      diagnostics: [{ severity: "error", path: "environments.dev.machines[0]" }],
    });
  });

  test("print: the hash, the document, the canonical text", async () => {
    const [words, hash, data] = await Promise.all([
      runFed(["print", "good"], { cwd: root }),
      runFed(["print", "good", "--hash"], { cwd: root }),
      runFed(["print", "good", "--json"], { cwd: root }),
    ]);
    const [first, ...rest] = words.out.split("\n");
    expect(hash.out).toBe(`${first}\n`);
    expect(JSON.parse(rest.join("\n"))).toEqual(JSON.parse(data.out));
    expect(JSON.parse(data.out)).toMatchObject({ name: "ocean" });
  });
});

test("a lab that init wrote runs at once", async () => {
  const env = { FED_DATA: at("data") };
  expect(await runFed(["init", "first lab"], { cwd: root })).toMatchObject({ code: 0, err: "" });
  const options = { cwd: at("first lab"), env };
  const { child, ending, says } = startProgram(
    process.execPath,
    [entry, "up", "--port", "0", "--ingress-port", "0"],
    options,
  );
  const [, port] = await says(/^ready .+ ingress=http:\/\/127\.0\.0\.1:(\d+)$/m);
  expect(await page(Number(port), "first-lab.localhost")).toContain("It runs.");
  child.kill("SIGINT");
  expect((await ending).code).toBe(130);
});

async function page(port: number, host: string): Promise<string> {
  const [response] = (await once(get({ host: "127.0.0.1", port, headers: { host } }), "response")) as [IncomingMessage];
  return (await response.toArray()).join("");
}

describe("streams and signals", () => {
  const shell = (line: string) =>
    startProgram("bash", ["-c", `set -o pipefail; ${line}`, "bash", process.execPath, entry], { cwd: root }).ending;

  test("a reader that leaves early is no fault", async () => {
    const { code, out, err } = await shell('"$1" "$2" print good/many.ts | head -1');
    expect(out).toMatch(/^[0-9a-f]{64}\n$/);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test.skipIf(process.platform !== "linux")("a full disk is told", async () => {
    const ending = await shell('"$1" "$2" help >/dev/full');
    expect(ending).toMatchObject({ code: 1, out: "" });
    expect(ending.err).toContain("cannot write the output");
    expect(ending.err).not.toMatch(/^\s+at /m);
  });

  test.skipIf(process.platform !== "linux").each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends it quietly with %i and leaves no process behind", async (name, code) => {
    const { child, ending } = startProgram(process.execPath, [entry, "check", "good/loop.ts"], { cwd: root });
    const children = await childrenOf(child.pid ?? 0);
    child.kill(name);
    expect(await ending).toEqual({ code, out: "", err: "" });
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

describe("doctor", () => {
  test("on a machine without programs it ends well and says what each is for", async () => {
    const { code, out, err } = await runFed(["doctor"], { env: { PATH: "/nowhere", FED_DATA: at("not", "yet") } });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^missing +Podman +services from images/m);
    expect(out).toMatch(/^ok +data folder/m);
    expect(out).toContain("Podman: apt-get install podman");
  });

  test("lacks what nothing works without, as data", async () => {
    const { code, out } = await runFed(["doctor", "--data", at("file", "below"), "--json"]);
    expect(code).toBe(4);
    const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: readonly { name: string; kind: string }[] };
    expect(ok).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ name: "data folder", kind: "poor", required: true }));
  });
});

test("--version, with and without company", async () => {
  const { version } = JSON.parse(readFileSync(join(repository, "packages/fed/package.json"), "utf8")) as {
    version: string;
  };
  const [alone, data] = await Promise.all([runFed(["--version"]), runFed(["--version", "--json"])]);
  expect(alone).toEqual({ code: 0, out: `fed ${version} (node ${process.version})\n`, err: "" });
  expect(JSON.parse(data.out)).toEqual({ version, node: process.version });
});

/** Waits until a process has children; their ids. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  for (;;) {
    const found = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    if (found.length > 0) return found;
    await wait(5);
  }
}
