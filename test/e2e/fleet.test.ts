import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Ground, openGround, withoutHosts } from "./fleet/ground.ts";
import type { Host } from "./fleet/host.ts";
import { type FleetHub, startFleetHub } from "./fleet/lab.ts";
import { until } from "./stage.ts";

/** Twenty hosts, each with an sshd of its own; one has busybox alone, one a Debian of its own. */
const kinds = [
  ...["debian", "busybox", "debootstrap"],
  ...Array.from({ length: 17 }, () => "debian"),
] as readonly Host["kind"][];

const begun = ["machine.added", "machine.keyTrusted", "unknown → online"];
const goneAndBack = [...begun, "online → offline", "offline → online"];

test.skipIf(withoutHosts !== "")(
  `twenty machines die, freeze, are cut off and slowed down, change keys and fill their disks, and each is told of once${withoutHosts}`,
  async () => {
    const ground = await openGround(kinds);
    const host = (name: string) => hostOf(ground, name);
    const keys = makeKeys(ground);
    // Behind h14, and known by a key in the vault alone.
    host("h12").authorize([keys.vault.publicKey]);
    const hub = await startFleetHub(ground.folder, labOf(ground, "key"));
    await hub.fed("credential", "set", "ssh-key", "--machine", "h12", "--file", keys.vault.path);
    const names = ground.hosts.map(({ name }) => name);
    await Promise.all(names.map((name) => hub.reaches(name, "online")));
    await sampled(hub, names);
    // Also what is asked aside has been told: what runs on them from here on stays the same.
    await until(
      "updates of every machine",
      async () => {
        const told = (await hub.machines()).filter(({ tally }) => tally.updates !== undefined);
        return told.length >= names.length - 1 ? true : undefined;
      },
      150_000,
    );
    const before = { files: hub.files(), processes: processesOf(ground) };

    // All at once, as a bad day has it.
    await host("h0").kill();
    await host("h1").kill();
    host("h2").cut();
    host("h3").freeze();
    await host("h4").kill();
    host("h5").freeze();
    host("h6").limit(1_000_000);
    host("h7").limit(4_000);
    await restart(host("h8"), (one) => one.changeHostKey());
    host("h9").fillDisk();
    await restart(host("h10"), (one) => one.authorize([keys.next.publicKey]));
    await hub.fed("machine", "maintenance", "h11", "--reason", "new fan");
    await host("h11").kill();
    await hub.fed("key", "rotate");
    await restart(host("h12"), () => undefined);
    for (const name of ["h0", "h1", "h2", "h3", "h7", "h8", "h10"]) await hub.reaches(name, "offline");
    for (const name of ["h4", "h5"]) await hub.reaches(name, "away");
    await hub.reaches("h12", "online");
    expect((await hub.machine("h8")).hostKey).toMatchObject({ offered: { type: "ssh-ed25519" } });
    expect((await hub.machine("h8")).detail).toMatch(/key/);
    expect((await hub.machine("h10")).detail).toMatch(/key|log/);
    expect(await hub.value('up{machine="h0",job="fed"}')).toBe(0);
    await until("a full disk", async () => {
      await hub.look("h9");
      const avail = await hub.value('node_filesystem_avail_bytes{machine="h9",mountpoint="/srv"}');
      return avail === 0 ? true : undefined;
    });

    // And the day after.
    for (const name of ["h0", "h1", "h4"]) await host(name).start();
    host("h2").plug();
    for (const name of ["h3", "h5"]) host(name).thaw();
    for (const name of ["h6", "h7"]) host(name).limit(undefined);
    await hub.fed("machine", "trust", "h8", "--fingerprint", (await offeredBy(hub, "h8")) ?? "");
    host("h9").emptyDisk();
    await hub.write(labOf(ground, "next"));
    await host("h11").start();
    const backMs = Date.now();
    await Promise.all(names.map((name) => hub.reaches(name, "online")));
    // It was never told to be gone: it has to have answered again.
    await until(
      "an answer of h11",
      async () => (((await hub.machine("h11")).seenMs ?? 0) > backMs ? true : undefined),
      60_000,
    );
    await hub.fed("machine", "maintenance", "h11", "--end");
    await sampled(hub, names);

    for (const name of ["h0", "h1", "h2", "h3", "h7", "h10"]) expect(await hub.story(name), name).toEqual(goneAndBack);
    for (const name of ["h4", "h5"]) {
      expect(await hub.story(name), name).toEqual([...begun, "online → away", "away → online"]);
    }
    for (const name of ["h6", "h9", "h13", "h14", "h15", "h16", "h17", "h18", "h19"]) {
      expect(await hub.story(name), name).toEqual(begun);
    }
    expect(withoutStates(await hub.story("h8"))).toEqual([
      ...["machine.added", "machine.keyTrusted", "machine.keyChanged", "machine.keyTrusted"],
    ]);
    expect(await hub.story("h11")).toEqual([...begun, "machine.maintenanceBegan", "machine.maintenanceEnded"]);
    expect(await hub.story("h12")).not.toContain("machine.keyChanged");

    // Nothing is left of what broke.
    await until("as many files as before", async () => (hub.files() <= before.files + 2 ? true : undefined));
    await until("as many processes as before", async () => {
      const now = processesOf(ground);
      return now.every((count, index) => count <= (before.processes[index] ?? 0)) ? true : undefined;
    });
    await hub.down();
    await until("hosts that run what they ran before the hub came", async () =>
      processesOf(ground).every((count) => count === 1) ? true : undefined,
    );
  },
  360_000,
);

function hostOf({ hosts }: Ground, name: string): Host {
  const host = hosts.find((one) => one.name === name);
  if (!host) throw new Error(`there is no host ${name}`);
  return host;
}

async function restart(host: Host, between: (host: Host) => void): Promise<void> {
  await host.kill();
  between(host);
  await host.start();
}

/** Two more keys: one for the vault, one that takes the place of the first at h10. */
function makeKeys({ folder }: Ground) {
  const make = (name: string) => {
    const path = join(folder, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    return { path, publicKey: readFileSync(`${path}.pub`, "utf8").trim() };
  };
  return { vault: make("vault-key"), next: make("next") };
}

/** `key`: the file with which h10 is logged in to. */
function labOf({ hosts }: Ground, key: string): string {
  const lines = hosts.map(({ name, address }) => {
    const kind = name === "h4" || name === "h5" ? "workstation" : "server";
    const more = [
      ...(name === "h12" ? [] : [`key: "./${name === "h10" ? key : "key"}"`]),
      ...(name === "h15" ? ['jump: "h14"'] : []),
    ];
    return `    ${name}: ${kind}({ address: "${address}", user: "root", every: "1s", ${more.join(", ")} }),`;
  });
  return `import { defineLab, server, workstation } from "@fed/lab";

export default defineLab({
  name: "fleet",
  machines: {
${lines.join("\n")}
  },
  environments: {},
  services: {},
});
`;
}

/** Every one of them tells its metrics under its own name. */
async function sampled(hub: FleetHub, names: readonly string[]): Promise<void> {
  await until("samples of every machine", async () => {
    const count = await hub.value('count(node_load1{job="fed"}) + count(up{job="fed",instance!~".*:.*"} == 1)');
    return count === 2 * names.length ? true : undefined;
  });
}

function processesOf({ hosts }: Ground): readonly number[] {
  return hosts.map((host) => host.processes().length);
}

async function offeredBy(hub: FleetHub, name: string): Promise<string | undefined> {
  return (await hub.machine(name)).hostKey?.offered.fingerprint;
}

function withoutStates(story: readonly string[]): readonly string[] {
  return story.filter((line) => line.startsWith("machine."));
}
