import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeJumpHosts, openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { type Clock, systemClock } from "../../packages/fed/src/base/clock.ts";
import { handClock } from "../../packages/fed/src/base/hand-clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import type { HostKey, Shell, SshLogin, SshNeeds } from "../../packages/fed/src/port/shell.ts";
import { startSshd, withoutSshd } from "./sshd.ts";

const going = () => new AbortController().signal;
const patient = { timeoutMs: 20_000 };

type Changes = Partial<SshNeeds & { readonly clock: Clock; readonly jumps: ReturnType<typeof makeJumpHosts> }>;

function openShell(login: () => SshLogin, changes: Changes = {}): Shell {
  const shell = openSshShell(login().machine, {
    ...{ clock: systemClock, trace: silentTrace },
    login: async () => login(),
    checkHostKey: () => ({ kind: "trusted" }),
    ...changes,
  });
  onTestFinished(() => shell.close());
  return shell;
}

/** Trusts the first key of each machine, as the hub does, and remembers what it was shown. */
function pinning() {
  const shown: string[] = [];
  const known = new Map<string, HostKey[]>();
  const checkHostKey: SshNeeds["checkHostKey"] = (machine, _address, key) => {
    shown.push(`${machine} ${key.type}`);
    const keys = known.get(machine) ?? known.set(machine, [key]).get(machine) ?? [];
    const trusted = keys.some(({ fingerprint }) => fingerprint === key.fingerprint);
    return trusted ? { kind: "trusted" } : { kind: "changed", known: keys };
  };
  return { shown, known, checkHostKey };
}

const echo = (shell: Shell, words = "on") => shell.run({ argv: ["echo", words] }, patient, going());

describe.skipIf(withoutSshd !== "")(`a connection by SSH${withoutSshd}`, () => {
  test("is made once for any number of commands, and leaves nothing behind", async () => {
    const sshd = await startSshd();
    const files = () => readdirSync("/proc/self/fd").length;
    const before = files();
    for (let round = 0; round < 3; round++) {
      const shell = openShell(() => sshd.login());
      await Promise.all(Array.from({ length: 30 }, () => echo(shell)));
      const stream = await shell.stream({ argv: ["sleep", "1000"] }, going());
      await shell.run({ argv: ["sleep", "1000"] }, { timeoutMs: 20 }, going());
      await shell.close();
      expect(await stream.ended).toMatchObject({ kind: "killed" });
      await vi.waitFor(() => expect(sshd.processes()).toEqual([]), { timeout: 5_000 });
    }
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(3);
    await vi.waitFor(() => expect(files()).toBeLessThanOrEqual(before + 1));
  });

  test("leaves no channel and no listener behind, however its commands end", async () => {
    const sshd = await startSshd();
    const shell = openShell(() => sshd.login());
    await echo(shell);
    for (let i = 0; i < 40; i++) {
      const stream = await shell.stream({ argv: ["echo", "a"] }, going());
      await (i % 2 === 0 ? text(stream.io) : stream.kill());
      await stream.ended;
      stream.io.destroy();
      await shell.run({ argv: ["cat"] }, { ...patient, input: "a" }, going());
    }
    // Ten at once is all that this sshd lets run: one that was left open would have been one too many long ago.
    await vi.waitFor(() => expect(sshd.processes().length).toBeLessThanOrEqual(5), { timeout: 5_000 });
  });

  test("is lost with its sshd: who waits is told, and the next call finds it again", async () => {
    const sshd = await startSshd();
    const clock = handClock();
    const shell = openShell(() => sshd.login(), { clock });
    await echo(shell);
    const stream = await shell.stream({ argv: ["cat"] }, going());
    const running = shell.run({ argv: ["sleep", "1000"] }, patient, going());
    const lost = expect(running).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("node5"),
    });
    await vi.waitFor(() => expect(sshd.processes().length).toBeGreaterThan(3));
    await clock.turn(10_000);
    await sshd.kill();
    await lost;
    expect(await stream.ended).toMatchObject({ kind: "lost" });
    expect(await text(stream.io)).toBe("");
    await expect(echo(shell)).rejects.toMatchObject({
      code: "unreachable",
      hint: "Does sshd run there, and on this port?",
    });
    await expect(echo(shell)).rejects.toThrow("tried again in");
    await sshd.restart();
    await clock.turn(2_000);
    expect(await echo(shell)).toMatchObject({ stdout: "on\n" });
  });

  test("is lost when the machine stands still, and what it was asked ends in time", async () => {
    const sshd = await startSshd();
    const clock = handClock();
    const shell = openShell(() => sshd.login(), { clock });
    await echo(shell);
    const stream = await shell.stream({ argv: ["cat"] }, going());
    sshd.freeze();
    const late = shell.run({ argv: ["true"] }, { timeoutMs: 1_000 }, going());
    await clock.turn(1_000);
    // What it runs cannot be ended there; nobody waits for that for ever.
    await clock.turn(20_000);
    expect(await late).toMatchObject({ kind: "timeout" });
    for (let i = 0; i < 5; i++) await clock.turn(15_000);
    expect(await stream.ended).toMatchObject({ kind: "lost", reason: expect.stringContaining("no sign of life") });
    sshd.thaw();
    expect(await echo(shell)).toMatchObject({ stdout: "on\n" });
  });

  test("is not made with a machine that shows another key, until that is accepted", async () => {
    const sshd = await startSshd();
    const clock = handClock();
    const { known, checkHostKey } = pinning();
    const knownHostKeys = (machine: string) => known.get(machine) ?? [];
    const shell = openShell(() => sshd.login(), { clock, checkHostKey, knownHostKeys });
    await echo(shell);
    const [first] = known.get("node5") ?? [];
    await clock.turn(10_000);
    await sshd.restart("new keys");
    const refused = await echo(shell).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      ...{ code: "denied", hint: expect.stringContaining("fed machine trust node5") },
      details: { hostKey: "changed", machine: "node5", known: [first], offered: { type: "ssh-ed25519" } },
    });
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1);
    await expect(echo(shell)).rejects.toMatchObject({ details: { hostKey: "changed" } });
    const { offered } = (refused as { details: { offered: HostKey } }).details;
    known.set("node5", [offered]);
    expect(await echo(shell)).toMatchObject({ stdout: "on\n" });
  });

  test.each([["told before"], ["told by the verdict"]])("asks for a type of key that is known, %s", async (how) => {
    const sshd = await startSshd({ hostKeys: ["ed25519", "rsa", "ecdsa"] });
    const [type = "", blob = ""] = readFileSync(join(sshd.folder, "host-rsa.pub"), "utf8").split(" ");
    const hash = await crypto.subtle.digest("SHA-256", Buffer.from(blob, "base64"));
    const key = { type, fingerprint: `SHA256:${Buffer.from(hash).toString("base64").replace(/=+$/, "")}` };
    const { shown, known, checkHostKey } = pinning();
    known.set("node5", [key]);
    const knownHostKeys = how === "told before" ? { knownHostKeys: () => [key] } : {};
    const shell = openShell(() => sshd.login(), { checkHostKey, ...knownHostKeys });
    expect(await echo(shell)).toMatchObject({ stdout: "on\n" });
    expect(shown.at(-1)).toBe("node5 ssh-rsa");
    expect(shown).toHaveLength(how === "told before" ? 1 : 2);
  });

  test("says whose key is refused, and tries a new one at once", async () => {
    const sshd = await startSshd();
    const other = await startSshd();
    let login: SshLogin = { ...sshd.login(), keys: other.login().keys };
    const shell = openShell(() => login, { clock: handClock() });
    const refused = await echo(shell).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({
      code: "denied",
      message: `${login.user} may not log in to node5 (127.0.0.1:${sshd.port}): it refuses the key ${other.key}`,
      hint: expect.stringContaining("authorized_keys"),
    });
    expect(JSON.stringify(refused) + String((refused as Error).stack)).not.toContain("PRIVATE KEY");
    await expect(echo(shell)).rejects.toMatchObject({
      code: "denied",
      message: expect.stringContaining("tried again"),
    });
    login = sshd.login();
    expect(await echo(shell)).toMatchObject({ stdout: "on\n" });
  });

  test("opens encrypted keys, and says which it cannot", async () => {
    const sshd = await startSshd();
    spawnSync("ssh-keygen", ["-q", "-p", "-N", "open sesame", "-f", sshd.key]);
    const [key] = sshd.login().keys;
    if (key === undefined) throw new Error("there is a key");
    const shellWith = (passphrase: string | undefined) =>
      openShell(() => ({
        ...sshd.login(),
        keys: [
          { from: "none", text: "none" },
          { ...key, passphrase },
        ],
      }));
    expect(await echo(shellWith("open sesame"))).toMatchObject({ stdout: "on\n" });
    await expect(echo(shellWith("sesame"))).rejects.toMatchObject({
      ...{ code: "denied", message: expect.stringContaining("the passphrase is wrong") },
    });
    await expect(echo(shellWith(undefined))).rejects.toThrow("it is encrypted, and there is no passphrase for it");
  });

  test("logs in by an agent, and does without one that is not there", async () => {
    const sshd = await startSshd();
    const agent = join(sshd.folder, "agent");
    const process = spawn("ssh-agent", ["-D", "-a", agent], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void process.kill());
    await once(process.stdout, "data");
    spawnSync("ssh-add", ["-q", sshd.key], { env: { SSH_AUTH_SOCK: agent, PATH: "/usr/bin:/bin" } });
    const keyless = { ...sshd.login(), keys: [], agent };
    expect(await echo(openShell(() => keyless))).toMatchObject({ stdout: "on\n" });
    const away = { ...sshd.login(), agent: "/no/agent" };
    expect(await echo(openShell(() => away))).toMatchObject({ stdout: "on\n" });
    const none = { ...sshd.login(), keys: [], agent: "/no/agent" };
    await expect(echo(openShell(() => none))).rejects.toMatchObject({ code: "denied" });
  });

  test("goes through a jump host, which is connected to once for all behind it, and let go", async () => {
    const [jump, one, two] = await Promise.all([startSshd(), startSshd(), startSshd()]);
    const { checkHostKey, shown } = pinning();
    const changes = { checkHostKey, jumps: makeJumpHosts() };
    const behind = (sshd: typeof one, name: string) => () => ({ ...sshd.login(name), jump: jump.login("bastion") });
    const shells = [openShell(behind(one, "one"), changes), openShell(behind(two, "two"), changes)];
    const said = await Promise.all(shells.map((shell) => echo(shell)));
    expect(said.map(({ stdout }) => stdout)).toEqual(["on\n", "on\n"]);
    expect(jump.log().match(/Accepted publickey/g)).toHaveLength(1);
    expect(shown.toSorted()).toEqual(["bastion ssh-ed25519", "one ssh-ed25519", "two ssh-ed25519"]);
    await shells[0]?.close();
    expect(await (shells[1] && echo(shells[1]))).toMatchObject({ stdout: "on\n" });
    await shells[1]?.close();
    await vi.waitFor(() => expect(jump.processes()).toEqual([]), { timeout: 5_000 });
    expect(changes.jumps.links.size).toBe(0);
  });

  test("says which of two machines is in the way", async () => {
    const [jump, one] = await Promise.all([startSshd(), startSshd()]);
    const { checkHostKey } = pinning();
    const shell = openShell(() => ({ ...one.login("one"), jump: jump.login("bastion") }), {
      checkHostKey,
      clock: handClock(),
    });
    await one.kill();
    await expect(echo(shell)).rejects.toMatchObject({
      ...{ code: "unreachable", message: expect.stringMatching(/^one .* cannot be reached through bastion$/) },
    });
    await jump.restart("new keys");
    const other = openShell(() => ({ ...one.login("one"), jump: jump.login("bastion") }), { checkHostKey });
    await expect(echo(other)).rejects.toMatchObject({
      code: "denied",
      details: { hostKey: "changed", machine: "bastion" },
    });
  });

  test("waits for a free channel where the server allows few", async () => {
    const sshd = await startSshd({ config: "MaxSessions 2" });
    const shell = openShell(() => sshd.login());
    const stream = await shell.stream({ argv: ["cat"] }, going());
    const said = await Promise.all(Array.from({ length: 6 }, (_, index) => echo(shell, String(index))));
    expect(said.map(({ stdout }) => stdout.trim())).toEqual(["0", "1", "2", "3", "4", "5"]);
    await expect(shell.stream({ argv: ["cat"] }, going())).rejects.toMatchObject({
      ...{ code: "unreachable", hint: expect.stringContaining("MaxSessions") },
    });
    stream.io.end();
    expect(await stream.ended).toEqual({ kind: "exited", code: 0 });
  });

  test("says when a machine starts no shell", async () => {
    const sshd = await startSshd({ config: "ForceCommand echo This account is currently not available; exit 1" });
    const shell = openShell(() => sshd.login());
    await expect(echo(shell)).rejects.toMatchObject({
      ...{ code: "denied", message: expect.stringContaining("it says: This account is currently not available") },
    });
    await expect(shell.stream({ argv: ["cat"] }, going())).rejects.toMatchObject({ code: "denied" });
  });

  test("gives up on what does not answer, and what is no SSH server", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
    await Promise.all([once(silent, "listening"), once(web, "listening")]);
    onTestFinished(() => void [silent.close(), web.close()]);
    const at = (server: typeof silent): SshLogin => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("the server has no port");
      return { machine: "node5", host: "127.0.0.1", port: address.port, user: "ada", keys: [] };
    };
    const clock = handClock();
    const asked = echo(openShell(() => at(silent), { clock }));
    const late = expect(asked).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringContaining("within 10 s"),
    });
    const [socket] = await once(silent, "connection");
    await clock.turn(10_000);
    await late;
    socket.resume();
    await once(socket, "close");
    await expect(echo(openShell(() => at(web)))).rejects.toMatchObject({ code: "unreachable" });
    const nowhere = { ...at(web), host: "no-such-host.invalid" };
    await expect(echo(openShell(() => nowhere))).rejects.toThrow("host name");
  });
});
