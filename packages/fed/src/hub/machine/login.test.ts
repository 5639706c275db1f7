import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineDocument } from "@fed/lab";
import { expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { makeLogin } from "./login.ts";

/** No real key: only its frame is looked at. Its text is what must not be seen anywhere. */
const canary = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY";
const plainKey = `-----BEGIN RSA PRIVATE KEY-----\n${canary}\n-----END RSA PRIVATE KEY-----\n`;
const lockedKey = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${canary}\n-----END ENCRYPTED PRIVATE KEY-----\n`;

const locked = new Fault("conflict", "the vault's key cannot be opened: it is lost");

async function makeScene(options: { readonly agent?: string } = {}) {
  const home = await mkdtemp(join(tmpdir(), "fed-login-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const [ssh, lab] = [join(home, ".ssh"), join(home, "lab")];
  await Promise.all([mkdir(ssh), mkdir(lab)]);
  const sealed = new Map<string, string | Fault>();
  const documents = new Map<string, MachineDocument>();
  const diary: TraceEntry[] = [];
  const login = makeLogin({
    own: { user: "ada", home, agent: options.agent },
    vault: {
      hasOwn: (machine, name) => sealed.has(`${machine}/${name}`),
      reveal(machine, name) {
        const key = [`${machine}/${name}`, name].find((one) => sealed.has(one));
        const value = key === undefined ? undefined : sealed.get(key);
        if (value instanceof Fault) throw value;
        return value === undefined ? undefined : { value, from: `the vault's ${key}` };
      },
    },
    trace: makeTrace(
      () => 0,
      "debug",
      (entry) => void diary.push(entry),
    ),
    labFolder: () => lab,
    documentOf: (name) => documents.get(name),
  });
  return {
    ...{ ssh, lab, sealed, documents, diary },
    login: (machine: Omit<Extract<MachineDocument, { kind: "server" }>, "kind">, name = "node5") =>
      login({ kind: "server", ...machine }, name),
    laptop: (machine: Omit<Extract<MachineDocument, { kind: "workstation" }>, "kind">) =>
      login({ kind: "workstation", ...machine }, "mbp"),
  };
}

async function put(path: string, text: string, mode = 0o600): Promise<string> {
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}

test("the least that can be said: the hub's user, its keys in OpenSSH's order, and its agent", async () => {
  const { login, ssh } = await makeScene({ agent: "/run/agent.sock" });
  const rsa = await put(join(ssh, "id_rsa"), plainKey);
  const ed = await put(join(ssh, "id_ed25519"), plainKey);
  await put(join(ssh, "id_ecdsa"), lockedKey);
  expect(await login({ address: "192.168.1.5" })).toEqual({
    ...{ machine: "node5", host: "192.168.1.5", port: 22, user: "ada", agent: "/run/agent.sock" },
    keys: [
      { from: ed, text: plainKey },
      { from: rsa, text: plainKey },
    ],
  });
});

test("what the lab says wins; a key that is named is the only one that is tried", async () => {
  const { login, ssh, lab, sealed } = await makeScene({ agent: "/run/agent.sock" });
  await put(join(ssh, "id_ed25519"), plainKey);
  const path = await put(join(lab, "node5"), plainKey);
  sealed.set("ssh-key", plainKey);
  const words = { address: "node5.lan", port: 2222, user: "fed" };
  const named = {
    machine: "node5",
    host: "node5.lan",
    port: 2222,
    user: "fed",
    keys: [{ from: path, text: plainKey }],
  };
  expect(await login({ ...words, key: "./node5" })).toEqual(named);
  expect(await login({ ...words, key: path })).toEqual(named);
  sealed.set("node5/ssh-key", plainKey.trimEnd());
  expect((await login(words)).keys).toEqual([{ from: "the vault's node5/ssh-key", text: plainKey }]);
  expect((await login(words, "node6")).keys.map(({ from }) => from)).toEqual([
    "the vault's ssh-key",
    join(ssh, "id_ed25519"),
  ]);
});

test("a workstation is found by its address, else by its name in the tailnet", async () => {
  const { laptop } = await makeScene();
  expect(await laptop({ tailscale: "darrens-mbp" })).toMatchObject({ host: "darrens-mbp", port: 22 });
  expect(await laptop({ tailscale: "darrens-mbp", address: "10.0.0.9" })).toMatchObject({ host: "10.0.0.9" });
});

test("passwords and passphrases come from the vault, the machine's own first, without the end of their line", async () => {
  const { login, lab, sealed } = await makeScene();
  await put(join(lab, "k"), lockedKey);
  sealed.set("ssh-password", "for all\n").set("ssh-key-passphrase", "open\r\n");
  expect(await login({ address: "a", key: "k" })).toMatchObject({
    password: "for all",
    keys: [{ passphrase: "open" }],
  });
  sealed.set("node5/ssh-password", " own ").set("node5/ssh-key-passphrase", "mine");
  expect(await login({ address: "a", key: "k" })).toMatchObject({ password: " own ", keys: [{ passphrase: "mine" }] });
});

test.each([
  ["is not there", "gone", undefined, { code: "missing", message: /the key of node5 is not there: .*\/lab\/gone$/ }],
  ["is in a home", "~/.ssh/k", undefined, { code: "missing", hint: /~ is not read as your home/ }],
  ["is a public one", "k.pub", `ssh-ed25519 ${canary} ada`, { code: "invalid", message: /k\.pub holds a public key/ }],
  ["is none", "k", canary, { code: "invalid", message: /\/k holds no SSH private key/ }],
  ["is a folder", "../.ssh", undefined, { code: "invalid", message: /\.ssh is no file/ }],
  ["is endless", "/dev/zero", undefined, { code: "invalid", message: /zero is no file/ }],
  ["is large", "k", plainKey.repeat(1_000), { code: "invalid", message: /no SSH private key/ }],
  ["has a passphrase", "k", lockedKey, { code: "missing", hint: /ssh-key-passphrase --machine node5/ }],
])("a key that %s is named, and nothing of it is told", async (_, key, text, says) => {
  const { login, lab } = await makeScene({ agent: "/run/agent.sock" });
  if (text !== undefined) await put(join(lab, key), text);
  const fault: unknown = await login({ address: "a", key }).catch((thrown: unknown) => thrown);
  expect(fault).toBeInstanceOf(Fault);
  const { code, message, hint } = fault as Fault;
  expect(code).toBe(says.code);
  if ("message" in says) expect(message).toMatch(says.message);
  if ("hint" in says) expect(hint).toMatch(says.hint);
  expect(JSON.stringify([message, hint])).not.toContain(canary);
});

test("a key that others can read is used, and told once", async () => {
  const { login, lab, diary } = await makeScene();
  const path = await put(join(lab, "open"), plainKey, 0o644);
  await login({ address: "a", key: "open" });
  await login({ address: "a", key: "open" });
  expect(diary).toMatchObject([{ level: "warn", facts: { path } }]);
  expect(JSON.stringify(diary)).not.toContain(canary);
});

test("a vault that does not open bars the way only where there is no other", async () => {
  const { login, lab, ssh, sealed } = await makeScene();
  sealed.set("ssh-key", locked).set("ssh-password", locked);
  await expect(login({ address: "a" })).rejects.toBe(locked);
  await put(join(lab, "k"), plainKey);
  expect(await login({ address: "a", key: "k" })).toMatchObject({ keys: [{ text: plainKey }] });
  await put(join(ssh, "id_rsa"), plainKey);
  expect(await login({ address: "a" })).toMatchObject({ keys: [{ text: plainKey }] });
  sealed.set("node5/ssh-key", locked);
  await expect(login({ address: "a" })).rejects.toBe(locked);
});

test("a jump is a login of its own; a way that ends nowhere or in itself is refused", async () => {
  const { login, documents } = await makeScene();
  documents.set("bastion", { kind: "server", address: "1.2.3.4", port: 2200, user: "gate", jump: "outer" });
  documents.set("outer", { kind: "server", address: "5.6.7.8" });
  expect(await login({ address: "10.8.0.7", jump: "bastion" })).toMatchObject({
    host: "10.8.0.7",
    jump: { machine: "bastion", host: "1.2.3.4", port: 2200, user: "gate", jump: { machine: "outer", user: "ada" } },
  });
  await expect(login({ address: "a", jump: "nowhere" })).rejects.toThrow("through nowhere, which is not in the fleet");
  documents.set("outer", { kind: "server", address: "5.6.7.8", jump: "bastion" });
  await expect(login({ address: "a", jump: "bastion" })).rejects.toThrow("node5 → bastion → outer → bastion");
  for (let i = 0; i < 9; i++) documents.set(`m${i}`, { kind: "server", address: "a", jump: `m${i + 1}` });
  await expect(login({ address: "a", jump: "m0" })).rejects.toThrow("more than 4 machines");
  documents.set("here", { kind: "server", address: "local" });
  expect(await login({ address: "a", jump: "here" })).not.toHaveProperty("jump");
  await expect(login({ address: "local" })).rejects.toMatchObject({ code: "invalid" });
});

const without = spawnSync("ssh-keygen", ["-?"]).error === undefined ? "" : " [skipped: no ssh-keygen]";

test.skipIf(without !== "" && process.env.CI === undefined).each([
  ["ed25519", "", false],
  ["ed25519", "secret words", true],
  ["rsa", "", false],
  ["ecdsa", "secret words", true],
])(`real keys of ssh-keygen are told apart: %s %j${without}`, async (type, passphrase, encrypted) => {
  const { login, lab, sealed } = await makeScene();
  const path = join(lab, "key");
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", path], { stdio: "pipe" });
  const text = await readFile(path, "utf8");
  if (encrypted) {
    await expect(login({ address: "a", key: "key" })).rejects.toThrow("has a passphrase");
    sealed.set("ssh-key-passphrase", passphrase);
    expect((await login({ address: "a", key: "key" })).keys).toEqual([{ from: path, text, passphrase }]);
  } else expect((await login({ address: "a", key: "key" })).keys).toEqual([{ from: path, text }]);
  await expect(login({ address: "a", key: "key.pub" })).rejects.toThrow("holds a public key");
});
