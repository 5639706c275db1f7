import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startFleetHub } from "./fleet/lab.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import { until } from "./stage.ts";

/** Machines that mean harm, before the real program: whatever they say costs themselves alone. */

/** What a machine runs in place of the shell that it is asked for. */
const evils = {
  flood: "yes",
  noise: "cat /dev/urandom",
  // It says what it was told, marks and all.
  echo: "cat",
  colours: "sh -c 'while :; do printf \"\\\\033[31m<b>tick</b>\\\\033[0m\\\\007\"; done'",
} as const;

test.skipIf(withoutSshd !== "")(
  `endless output, noise, echoes and colours are bounded and told, and no other machine feels it${withoutSshd}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "fed-fleet-hostile-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const good = await startSshd();
    const names = Object.keys(evils);
    const bad = await Promise.all(
      Object.values(evils).map((command) => startSshd({ config: `ForceCommand ${command}` })),
    );
    onTestFinished(async () => {
      for (const one of bad) one.kill();
    });
    const machines = [good, ...bad].map(({ host, port, key }, at) => {
      const name = at === 0 ? "good" : names[at - 1];
      return `${name}: server(${JSON.stringify({ address: host, port, user: userInfo().username, key, every: "1s" })}),`;
    });
    const hub = await startFleetHub(
      folder,
      `import { defineLab, server } from "@fed/lab";
export default defineLab({ name: "hostile", machines: { ${machines.join("\n")} }, environments: {}, services: {} });
`,
    );
    await hub.reaches("good", "online", "degraded");
    for (const name of names) {
      const told = await until(`${name} is told of`, async () => {
        const { state, problems, detail } = await hub.machine(name);
        return state === "degraded" || state === "offline"
          ? [detail, ...problems.map(({ reason }) => reason)]
          : undefined;
      });
      expect(told.join(" "), name).toMatch(/what our program cannot say|no answer/);
      // Nothing of what it says becomes a series, or is shown as it is.
      expect(await hub.value(`count({machine="${name}"})`), name).toBeLessThanOrEqual(3);
      expect(JSON.stringify(await hub.machine(name)), name).not.toContain("\\u001b");
    }
    const memory = await residentMb(hub.pid);
    const seen = (await hub.machine("good")).seenMs ?? 0;
    await until("ten more seconds of the good one", async () =>
      ((await hub.machine("good")).seenMs ?? 0) > seen + 10_000 ? true : undefined,
    );
    expect((await hub.story("good")).filter((line) => line.includes("offline"))).toEqual([]);
    expect((await residentMb(hub.pid)) - memory).toBeLessThan(60);
  },
  120_000,
);

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
}
