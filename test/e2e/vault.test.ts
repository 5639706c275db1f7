import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../../packages/fed/src/base/clock.ts";
import { makeRedactor } from "../../packages/fed/src/base/redact.ts";
import { silentTrace as trace } from "../../packages/fed/src/base/trace.ts";
import { openControl } from "../../packages/fed/src/hub/db/db.ts";
import { openEventLog } from "../../packages/fed/src/hub/event/verbs.ts";
import { openKeyFiles } from "../../packages/fed/src/hub/secret/key-file.ts";
import { openVault } from "../../packages/fed/src/hub/secret/verbs.ts";
import { makeDice } from "./dice.ts";
import type { Step } from "./kill-rotate.ts";
import { entry, launched, repository, runFed, startProgram } from "./program.ts";
import { makeStage, type Stage } from "./stage.ts";

const origin = { actor: "local", correlation: "cor_1" };
const values = { "ssh-key": "one", "ssh-password": "two", "ssh-key-passphrase": "three ✓" } as const;

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-vault-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The vault as the next hub opens it, for as long as the work takes. */
async function withVault<T>(folder: string, work: (vault: Awaited<ReturnType<typeof openVault>>) => Promise<T>) {
  const db = openControl(folder);
  const events = openEventLog({ db, clock, trace });
  try {
    const given = { current: undefined, next: undefined };
    const files = openKeyFiles(folder, trace);
    const own = { folder: join(folder, "secrets"), redactor: makeRedactor() };
    return await work(await openVault({ db, events, clock, trace, files, given, ...own, onChange: () => {} }));
  } finally {
    events.close();
    db.close();
  }
}

async function makeFilled(): Promise<string> {
  const folder = await makeFolder();
  await withVault(folder, async (vault) => {
    for (const [name, value] of Object.entries(values)) await vault.set(origin, { name, machine: "node5" }, value);
    for (const value of ["old", "new"]) await vault.values.set(origin, { name: "DB", environment: "prod" }, value);
  });
  return folder;
}

/** Everything opens, and there is one key; answers its id. */
function expectWhole(folder: string, told: string): Promise<string> {
  return withVault(folder, async (vault) => {
    expect(vault.trouble, told).toBeUndefined();
    for (const [name, value] of Object.entries(values)) expect(vault.reveal("node5", name)?.value, told).toBe(value);
    expect(await Promise.all([1, 2].map((version) => vault.values.reveal("DB", "prod", version))), told).toEqual([
      ...["old", "new"],
    ]);
    expect((await readdir(folder)).filter((name) => name.startsWith("master.key"))).toEqual(["master.key"]);
    return vault.sheet(origin).id;
  });
}

const rotator = join(import.meta.dirname, "kill-rotate.ts");

test("a rotation that is killed at any step is undone or done: every secret opens", async () => {
  const filled = await makeFilled();
  const before = await expectWhole(filled, "at first");
  const undone: Step[] = ["before the new file", "after the new file", "before the transaction", "before the commit"];
  const done: Step[] = ["after the commit", "before the rename", "after the rename"];
  for (const step of [...undone, ...done]) {
    const folder = await makeFolder();
    await cp(filled, folder, { recursive: true });
    const { child, ending } = startProgram(process.execPath, [rotator, folder, step]);
    expect((await ending).out, step).toBe("begin\n");
    expect(child.signalCode, step).toBe("SIGKILL");
    const after = await expectWhole(folder, step);
    if (undone.includes(step)) expect(after, step).toBe(before);
    else expect(after, step).not.toBe(before);
  }
}, 180_000);

test("rotations that are killed at moments left to chance lose nothing, and no key that was told", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = makeDice(seed);
  const folder = await makeFilled();
  for (let round = 0; round < 12; round++) {
    const { child, says, ending } = startProgram(process.execPath, [rotator, folder, "forever"]);
    await says(/^begin\n/);
    await pause(dice.below(80));
    child.kill("SIGKILL");
    const told = (await ending).out.split("\n").slice(1, -1);
    const id = await expectWhole(folder, `round ${round} of ${seed}`);
    // The newest that was told, or the one after it.
    expect([-1, told.length - 1], `round ${round} of ${seed}`).toContain(told.indexOf(id));
  }
}, 180_000);

/** What may be seen nowhere. */
const canaries = {
  key: "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY",
  password: "canary-password-7f3a",
  phrase: "canary-phrase-9c1e",
};
const privateKey = `-----BEGIN RSA PRIVATE KEY-----\n${canaries.key}\n-----END RSA PRIVATE KEY-----\n`;

/** fed with something on its stdin. */
async function feed(stage: Stage, text: string, ...words: readonly string[]) {
  const { PATH = "", HOME = "/" } = process.env;
  const child = spawn(process.execPath, [entry, ...words, "--data", stage.data], { env: { PATH, HOME, ...launched } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (said += more));
  child.stdin.end(text);
  const [code] = await once(child, "close");
  return { code, said };
}

/** A hub with all that it says, until the test ends it. */
async function startHub(stage: Stage, env: Readonly<Record<string, string>> = {}) {
  const words = ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];
  const program = startProgram(join(repository, "fed"), words, { env: { FED_DEBUG: "1", ...env } });
  await program.says(/ready api=/);
  const end = async () => {
    program.child.kill("SIGINT");
    return program.ending;
  };
  return { child: program.child, end };
}

/** Every process that came of this one: what it was called with, and what surrounds it. */
async function belowOf(pid: number): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const ids = children.split(" ").filter(Boolean).map(Number);
  const texts = ids.map(async (id) => {
    const parts = await Promise.all(
      ["cmdline", "environ"].map((name) => readFile(`/proc/${id}/${name}`, "utf8").catch(() => "")),
    );
    return parts.join("\0") + (await belowOf(id));
  });
  return (await Promise.all(texts)).join("\n");
}

async function filesOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const one of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!one.isFile()) continue;
    const path = join(one.parentPath, one.name);
    found.set(path, await readFile(path));
  }
  return found;
}

/** What the hub says to those who send a secret in a wrong way. */
async function refusals({ data }: Stage): Promise<readonly string[]> {
  const { url } = JSON.parse(await readFile(join(data, "hub.json"), "utf8")) as { readonly url: string };
  const token = (await readFile(join(data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const ask = async (name: string, body: string) => {
    const answer = await fetch(`${url}/api/v1/credentials/${name}`, { method: "POST", headers, body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    return answer.text();
  };
  const value = canaries.password;
  return [
    await ask("ssh-password", JSON.stringify({ value: [value] })),
    await ask("Not A Name", JSON.stringify({ value })),
    await ask("ssh-password", JSON.stringify({ value, machine: { value } })),
    await ask("ssh-password", `{"value": "${value}`),
    await ask("ssh-key", JSON.stringify({ value: privateKey.replace("PRIVATE", "PUBLIC") })),
    await ask("ssh-password", JSON.stringify({ value: value.repeat(5_000) })),
  ];
}

test("no secret is seen in what a hub says, answers, tells, keeps or starts", async () => {
  const stage = await makeStage();
  const hub = await startHub(stage);
  const seen: string[] = [];
  const fed = async (...words: readonly string[]) => {
    const { code, out, err } = await runFed([...words, "--data", stage.data], {});
    seen.push(out, err);
    return { code, out };
  };
  for (const [text, ...words] of [
    [privateKey, "ssh-key", "--machine", "here"],
    [canaries.password, "ssh-password"],
    [canaries.phrase, "ssh-key-passphrase", "--machine", "elsewhere"],
  ]) {
    const { code, said } = await feed(stage, text ?? "", "credential", "set", ...words);
    expect(code, said).toBe(0);
    seen.push(said);
  }
  const refused = await feed(stage, `ssh-ed25519 ${canaries.key} ada`, "credential", "set", "ssh-key");
  expect(refused).toMatchObject({ code: 2, said: expect.stringContaining("public key") });
  seen.push(refused.said);
  seen.push(...(await refusals(stage)));
  const { out: sheet } = await runFed(["key", "sheet", "--data", stage.data]);
  const keyFile = join(stage.data, "master.key");
  const [line = ""] = /(?<=1: {2}).*/.exec(sheet) ?? [];
  const firstKey = (await readFile(keyFile, "utf8")).trim();
  expect((await fed("key", "rotate")).code).toBe(0);
  const secondKey = (await readFile(keyFile, "utf8")).trim();
  expect(secondKey).not.toBe(firstKey);
  expect((await fed("credential", "list", "--json")).out).toContain("elsewhere");
  await fed("credential", "remove", "ssh-password", "--yes");
  await fed("status", "--json");
  await fed("machines", "--json");
  const { out: events } = await fed("events", "--json");
  expect(events).toContain("credential.set");
  expect(events).toContain("key.shown");
  seen.push(await belowOf(hub.child.pid ?? 0));
  const { out, err } = await hub.end();
  seen.push(out, err);
  // Another hub on the same folder: the key comes from its surroundings, and the file is lost.
  await rm(keyFile);
  const second = await startHub(stage, { FED_KEY: secondKey, SSH_AUTH_SOCK: "/nowhere" });
  expect((await fed("status", "--json")).out).not.toContain('"vault"');
  seen.push(await belowOf(second.child.pid ?? 0));
  const said = await second.end();
  seen.push(said.out, said.err);
  const secrets = [...Object.values(canaries), firstKey, secondKey, line.trim()];
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(10);
    for (const text of seen) expect(text.includes(secret)).toBe(false);
    for (const [path, bytes] of await filesOf(stage.data)) expect(bytes.includes(secret), path).toBe(false);
  }
}, 180_000);

test("a hub whose key is lost starts, says what to do, and opens everything again with the sheet", async () => {
  const stage = await makeStage();
  const first = await startHub(stage);
  expect((await feed(stage, canaries.password, "credential", "set", "ssh-password")).code).toBe(0);
  const sheet = (await runFed(["key", "sheet", "--data", stage.data])).out;
  await first.end();
  const path = join(stage.data, "master.key");
  const key = await readFile(path, "utf8");
  await rm(path);
  const second = await startHub(stage);
  const status = await runFed(["status", "--data", stage.data]);
  expect(status).toMatchObject({ code: 3, out: expect.stringContaining("The vault is locked") });
  expect(status.out).toContain("fed key restore");
  const refused = await feed(stage, "other", "credential", "set", "ssh-password");
  expect(refused).toMatchObject({ code: 5, said: expect.stringContaining("locked") });
  expect(await feed(stage, sheet.toLowerCase(), "key", "restore", "-")).toMatchObject({
    code: 0,
    said: expect.stringContaining("1 secret opens"),
  });
  expect((await runFed(["status", "--data", stage.data])).out).not.toContain("vault");
  expect(await readFile(path, "utf8")).toBe(key);
  const { err } = await second.end();
  expect(err).toContain("warning: the vault is locked");
  await writeFile(path, "hunter2");
  const third = await startHub(stage);
  const over = await runFed(["key", "start-over", "--yes", "--data", stage.data]);
  expect(over).toMatchObject({ code: 0, out: expect.stringContaining("1 secret stays sealed") });
  expect((await runFed(["credential", "list", "--data", stage.data])).out).toContain("its master key is lost");
  await third.end();
}, 180_000);
