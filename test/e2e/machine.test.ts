import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startFleetHub } from "./fleet/lab.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import type { Sshd } from "./sshd-server.ts";
import { until } from "./stage.ts";

/** The real program, a real sshd: from the lab file to states, events and samples, over an end of the hub, too. */

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed é'\"$ fleet-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function labOf({ host, port, key }: Sshd): string {
  const node5 = JSON.stringify({ address: host, port, user: userInfo().username, key, every: "1s" });
  return `import { defineLab, server, workstation } from "@fed/lab";
export default defineLab({
  name: "real",
  machines: {
    here: server({ address: "local", every: "1s" }),
    node5: server(${node5}),
    mbp: workstation({ address: "127.0.0.1", port: 1, every: "1s" }),
  },
  environments: {},
  services: {},
});
`;
}

const arrival = ["machine.added", "machine.keyTrusted", "unknown → online"];

test.skipIf(withoutSshd !== "")(
  `machines come alive, go, and come back; an end of the hub is told as nothing of theirs${withoutSshd}`,
  async () => {
    const [folder, sshd] = [await makeFolder(), await startSshd()];
    const first = await startFleetHub(folder, labOf(sshd));
    await Promise.all(["here", "node5"].map((name) => first.reaches(name, "online", "degraded")));
    await first.reaches("mbp", "away");
    expect(await first.machine("node5")).toMatchObject({ mode: "ssh", origin: "lab", intervalMs: 1_000 });
    await until("facts", async () => (await first.machine("node5")).facts);
    for (const name of ["here", "node5"]) {
      await until(`samples of ${name}`, () =>
        first.value(`node_load1{machine="${name}",instance="${name}",job="fed"}`),
      );
    }
    expect(await first.value('up{machine="mbp"}')).toBe(0);

    // While the hub is away the machine goes: the next one tells it once.
    await first.down();
    await until("no program of ours on the machine", async () => sshd.processes().length === 0 || undefined);
    await sshd.kill();
    const second = await startFleetHub(folder, labOf(sshd));
    await second.reaches("node5", "offline");
    await second.reaches("here", "online", "degraded");
    expect((await second.machine("node5")).detail).toContain("refuses connections");
    expect(await second.value('up{machine="node5"}')).toBe(0);
    await second.down();
    const third = await startFleetHub(folder, labOf(sshd));
    await until("a miss after the restart", async () => {
      return (await third.machine("node5")).detail.includes("refuses") ? true : undefined;
    });
    await sshd.restart();
    await third.reaches("node5", "online", "degraded");
    const changes = (await third.story("node5")).filter((word) => word !== "machine.keyTrusted");
    expect(changes.filter((word) => !word.includes("degraded"))).toEqual([
      ...["machine.added", "unknown → online", "online → offline", "offline → online"],
    ]);
    expect((await third.story("node5")).slice(0, 3)).toEqual(arrival);
    expect((await third.story("mbp")).slice(0, 2)).toEqual(["machine.added", "unknown → away"]);
    expect((await third.story("mbp")).length).toBe(2);
    expect((await third.story("here")).filter((word) => word === "unknown → online")).toHaveLength(1);
  },
  120_000,
);
