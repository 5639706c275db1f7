import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { FedEvent } from "../../packages/fed/src/wire/event.ts";
import { type FleetHub, startFleetHub } from "./fleet/lab.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import { until } from "./stage.ts";

/** Logging in to a real sshd with what the vault holds, and its host key as it changes. */

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-trust-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function labOf(words: string): string {
  return `import { defineLab, server } from "@fed/lab";
export default defineLab({
  name: "trust",
  machines: { here: server({ address: "local" }), node5: server({ ${words}, every: "1s" }) },
  environments: { dev: { machines: ["here"] } },
  services: {},
});
`;
}

/** What the machine says of itself once it says this. */
function saying(hub: FleetHub, pattern: RegExp) {
  return until(`node5: ${pattern}`, async () => {
    const machine = await hub.machine("node5");
    return pattern.test(machine.detail) ? machine : undefined;
  });
}

const keyEvents = async (hub: FleetHub) => (await hub.story("node5")).filter((type) => type.startsWith("machine.key"));

/** Nothing of this text is in a file of the folder. */
async function expectNowhere(folder: string, secret: string): Promise<void> {
  for (const one of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(one.parentPath, one.name);
    if (one.isFile()) expect((await readFile(path)).includes(secret), path).toBe(false);
  }
}

test.skipIf(withoutSshd !== "")(
  `a key in the vault lets the hub in, over a rotation, a restart and a key with a passphrase${withoutSshd}`,
  async () => {
    const [folder, sshd] = [await makeFolder(), await startSshd()];
    const locked = join(sshd.folder, "locked");
    await copyFile(sshd.key, locked);
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "canary-phrase-5d2b", "-f", locked]);
    const words = `address: "${sshd.host}", port: ${sshd.port}, user: "${userInfo().username}"`;
    const hub = await startFleetHub(folder, labOf(words));
    expect((await hub.reaches("node5", "offline")).detail).not.toBe("");
    await hub.fed("credential", "set", "ssh-key", "--machine", "node5", "--file", sshd.key);
    await hub.reaches("node5", "online", "degraded");
    await hub.fed("key", "rotate");
    await hub.fed("credential", "set", "ssh-key", "--machine", "node5", "--file", locked);
    await sshd.restart();
    expect((await saying(hub, /passphrase/)).name).toBe("node5");
    const phrase = join(sshd.folder, "phrase");
    await writeFile(phrase, "canary-phrase-5d2b\n");
    await hub.fed("credential", "set", "ssh-key-passphrase", "--file", phrase);
    await hub.reaches("node5", "online", "degraded");
    expect(await keyEvents(hub)).toEqual(["machine.keyTrusted"]);
    await hub.down();
    for (const line of [...(await keyLines(sshd.key)), ...(await keyLines(locked)), "canary-phrase-5d2b"]) {
      await expectNowhere(join(folder, "data"), line);
    }
    const [master, aside] = [join(folder, "data/master.key"), join(folder, "aside")];
    await rename(master, aside);
    const lost = await startFleetHub(folder, labOf(words));
    expect((await saying(lost, /cannot be opened/)).detail).toContain("master.key is not there");
    await lost.down();
    await rename(aside, master);
    await (await startFleetHub(folder, labOf(words))).reaches("node5", "online", "degraded");
  },
  180_000,
);

/** Lines that only this key has. */
async function keyLines(path: string): Promise<readonly string[]> {
  return (await readFile(path, "utf8")).trim().split("\n").slice(2, -1);
}

test.skipIf(withoutSshd !== "")(
  `a changed host key is refused, told once, and accepted by its fingerprint alone${withoutSshd}`,
  async () => {
    const [folder, sshd] = [await makeFolder(), await startSshd({ hostKeys: ["ed25519", "rsa"] })];
    const words = `address: "${sshd.host}", port: ${sshd.port}, user: "${userInfo().username}", key: "${sshd.key}"`;
    const hub = await startFleetHub(folder, labOf(words));
    await hub.reaches("node5", "online", "degraded");
    await sshd.restart();
    await hub.reaches("node5", "online", "degraded");
    expect(await keyEvents(hub)).toEqual(["machine.keyTrusted"]);
    await sshd.restart("new keys");
    const refused = await until("another key", async () => {
      const machine = await hub.machine("node5");
      return machine.hostKey && machine.state === "offline" ? machine : undefined;
    });
    const mine = execFileSync("ssh-keygen", ["-lf", join(sshd.folder, "host-ed25519.pub")], { encoding: "utf8" });
    const offered = refused.hostKey?.offered;
    expect(mine).toContain(offered?.fingerprint);
    expect(refused.detail).toMatch(/key/);
    await expect(hub.fed("machine", "trust", "node5", "--fingerprint", "SHA256:guess")).rejects.toThrow("another key");
    expect(await keyEvents(hub)).toEqual(["machine.keyTrusted", "machine.keyChanged"]);
    await hub.fed("machine", "trust", "node5", "--fingerprint", offered?.fingerprint ?? "");
    const back = await hub.reaches("node5", "online", "degraded");
    expect(back.hostKey).toBeUndefined();
    expect(await keyEvents(hub)).toEqual(["machine.keyTrusted", "machine.keyChanged", "machine.keyTrusted"]);
    const text = await hub.fed("events", "--json", "--type", "machine.keyTrusted");
    const accepted = text
      .trim()
      .split("\n")
      .flatMap((line) => JSON.parse(line) as FedEvent);
    expect(accepted.map(({ actor }) => actor).sort()).toEqual(["hub", "local"]);
    // Taken out of the lab it is forgotten, and may come back as whatever it is then.
    await hub.write(labOf(words).replace(/node5: server\(.*?\}\),? ?/s, ""));
    await until("node5 is gone", async () => ((await hub.machines()).length === 1 ? true : undefined));
    await sshd.restart("new keys");
    await hub.write(labOf(words));
    await until("node5 is back", async () => ((await hub.machines()).length === 2 ? true : undefined));
    await hub.reaches("node5", "online", "degraded");
    expect((await keyEvents(hub)).slice(3)).toEqual(["machine.keyTrusted"]);
  },
  180_000,
);
