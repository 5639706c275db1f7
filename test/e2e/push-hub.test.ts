import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { api } from "../../packages/fed/src/wire/api.ts";
import { makeClient } from "../../packages/fed/src/wire/client.ts";
import { runFed } from "./program.ts";
import { makeMachine, without } from "./push.ts";
import { makeStage, type Stage, until, up } from "./stage.ts";

/** A machine that reports by itself to the real program. */

const lacks = without("curl", "dash", "busybox");

interface Shown {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly lastSeen?: string;
}

async function machineOf(stage: Stage, name: string): Promise<Shown | undefined> {
  const { out } = await runFed(["machines", "--json", "--data", stage.data]);
  return (JSON.parse(out) as readonly Shown[]).find((one) => one.name === name);
}

async function lineFor(stage: Stage, name: string): Promise<string> {
  const { out } = await runFed(["machine", "join", name, "--data", stage.data]);
  return out.trim();
}

/** When the machine's next ticks were taken, by one who watches it. */
async function ticksOf(url: string, token: string, wanted: number): Promise<readonly number[]> {
  const client = makeClient({ url, token });
  const times: number[] = [];
  for await (const { atMs } of client.events(api.watchMachines, { machine: "cellar" }, AbortSignal.timeout(60_000))) {
    times.push(atMs);
    if (times.length === wanted) break;
  }
  return times;
}

test.skipIf(lacks !== "")(
  `joins a hub that runs, is seen, is measured under its own name, survives the hub and leaves${lacks}`,
  async () => {
    const stage = await makeStage();
    const hub = await up(stage);
    const machine = await makeMachine("dash");
    const line = await lineFor(stage, "cellar");
    const joined = await machine.type(line);
    expect(joined.err).toContain("cellar reports to");
    const seen = await until("the machine", async () => {
      const one = await machineOf(stage, "cellar");
      return one?.state === "online" || one?.state === "degraded" ? one : undefined;
    });
    expect(seen).toMatchObject({ name: "cellar", kind: "server" });
    expect(Date.parse(seen.lastSeen ?? "")).toBeGreaterThan(Date.now() - 60_000);

    // Whatever it calls itself: its series have the name that its credential has.
    const { out } = await runFed([
      "query",
      'count by (machine, job) ({machine="cellar"})',
      "--json",
      "--data",
      stage.data,
    ]);
    expect(out).toContain('"machine":"cellar"');

    // The token is used up, and the person is told so in plain words.
    const again = await (await makeMachine("busybox")).type(line);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("this token was used already")]);

    // Its credential does nothing else, and is in nobody's argv.
    const credential = /Bearer (fedm_\S+)"/.exec(await readFile(join(machine.folder, "credential"), "utf8"))?.[1] ?? "";
    const headers = { authorization: `Bearer ${credential}` };
    for (const path of ["/api/v1/machines", "/api/v1/status", "/metrics", "/api/v1/events"]) {
      expect([path, (await fetch(hub.url + path, { headers })).status]).toEqual([path, 403]);
    }
    for (const pid of await machine.processes()) {
      expect(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).not.toContain(credential);
    }

    // While somebody watches it, it reports every second.
    const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
    const times = await ticksOf(hub.url, token, 6);
    expect(times.slice(3).map((atMs, n) => Math.round((atMs - (times[n + 2] ?? 0)) / 1_000))).toEqual([1, 1, 1]);

    hub.child.kill("SIGKILL");
    await hub.ending;
    const port = new URL(hub.url).port;
    await up(stage, "--port", port);
    const before = Date.now();
    await until(
      "the machine after the hub's end",
      async () => {
        const one = await machineOf(stage, "cellar");
        return one && Date.parse(one.lastSeen ?? "") > before ? one : undefined;
      },
      40_000,
    );

    const removed = await runFed(["machine", "remove", "cellar", "--yes", "--data", stage.data]);
    expect([removed.code, removed.out]).toEqual([0, "cellar is not in the fleet any more\n"]);
    await until("its end", async () => ((await machine.processes()).length === 0 ? true : undefined), 30_000);
    expect([existsSync(machine.folder), existsSync(machine.live())]).toEqual([false, false]);
    expect((await fetch(`${hub.url}/agent/script`, { headers })).status).toBe(401);
  },
  120_000,
);
