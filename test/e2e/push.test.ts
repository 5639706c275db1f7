import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, type onTestFinished, test, vi } from "vitest";
import { makeAgentKit } from "../../packages/fed/src/adapter/agent/index.ts";
import { makeLinuxCollector } from "../../packages/fed/src/adapter/linux/index.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { going, makeScene, origin } from "../../packages/fed/src/hub/agent/agent.scene.ts";
import { agentHandlers } from "../../packages/fed/src/hub/agent/http.ts";
import type { AnyHandler } from "../../packages/fed/src/hub/serve/route.ts";
import { serveTable } from "../../packages/fed/src/hub/serve/serve.ts";
import type { AgentKit } from "../../packages/fed/src/port/agent.ts";
import { agentApi } from "../../packages/fed/src/wire/agent.ts";
import { makeMachine, shells, without } from "./push.ts";

interface Offer {
  version: string;
  change: (text: string) => string;
}

type AtEnd = typeof onTestFinished;

/** The agent as it runs on machines, against the door of the hub for it. `offer` may be changed meanwhile. */
async function openDoor(atEnd: AtEnd, port = 0, before?: ReturnType<typeof makeScene>) {
  const collector = makeLinuxCollector();
  const made = makeAgentKit(collector);
  const offer: Offer = { version: made.version, change: (text) => text };
  const kit: AgentKit = {
    ...made,
    get version() {
      return offer.version;
    },
    script: (mark) => offer.change(made.script(mark).replaceAll(made.version, offer.version)),
  };
  const scene = before ?? makeScene({ clock: systemClock, kit, collector, atEnd });
  scene.pace.ms = 1_000;
  const handlers = agentHandlers({ agents: scene.agents, kit }) as unknown as Readonly<Record<string, AnyHandler>>;
  const served = await serveTable(agentApi, handlers, {
    ...{ host: "127.0.0.1", port, clock: systemClock, trace: silentTrace, pages: undefined },
    makeCorrelation: () => "cor_1",
    identify: async ({ bearer }) => scene.agents.identify(bearer) ?? { kind: "nobody" },
    recall: (caller) => (caller.kind === "machine" ? scene.agents.recall(caller) : caller),
    checkCsrf: () => false,
    refused: () => undefined,
  });
  atEnd(() => served.close());
  const url = `http://127.0.0.1:${served.port}`;
  const lineFor = (name: string) => `curl -fsSL ${url}/join/${scene.agents.allow(name, "server", origin).token} | sh`;
  return { ...scene, scene, url, port: served.port, lineFor, offer, close: () => served.close() };
}

const soon = (look: () => unknown, timeout = 20_000) => vi.waitFor(look, { timeout, interval: 20 });

describe.concurrent.each(shells)("on %s", (shell) => {
  const lacks = without("curl", shell);
  test.skipIf(lacks !== "")(
    `joins, reports each second, keeps what it cannot send, and goes without a trace${lacks}`,
    async ({ onTestFinished }) => {
      const door = await openDoor(onTestFinished);
      const machine = await makeMachine(shell, onTestFinished);
      const joined = await machine.type(door.lineFor("node5"));
      expect(joined.err).toContain("node5 reports to");
      expect(joined.code).toBe(0);
      await soon(() => expect(door.taken.length).toBeGreaterThanOrEqual(3));
      expect(new Set(door.taken.map(({ machine: name }) => name))).toEqual(new Set(["node5"]));

      await door.close();
      const before = door.taken.length;
      await soon(async () => expect((await readdir(join(machine.live(), "spool"))).length).toBeGreaterThanOrEqual(1));
      const again = await openDoor(onTestFinished, door.port, door.scene);
      await soon(() => expect(door.taken.length).toBeGreaterThan(before + 2), 30_000);
      const sequences = door.taken.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.map((_, n) => (sequences[0] ?? 0) + n));
      const times = door.taken.map(({ machineMs }) => machineMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));

      const removed = await again.agents.remove("node5", origin, going());
      expect(removed).toBe(true);
      await soon(async () => expect(await machine.processes()).toEqual([]));
      expect([existsSync(machine.folder), existsSync(machine.live())]).toEqual([false, false]);
    },
    60_000,
  );
});

const lacks = without("curl", "dash", "busybox");

/** Another version is offered to a machine that reports, when it connects next. */
async function offerAnother(change: Offer["change"], onTestFinished: AtEnd) {
  const door = await openDoor(onTestFinished);
  const machine = await makeMachine("dash", onTestFinished);
  expect((await machine.type(door.lineFor("node5"))).code).toBe(0);
  await door.close();
  Object.assign(door.offer, { version: "b".repeat(16), change });
  await openDoor(onTestFinished, door.port, door.scene);
  return { door, machine };
}

const has = (machine: Awaited<ReturnType<typeof makeMachine>>, file: string) => existsSync(join(machine.folder, file));

test.skipIf(lacks !== "").concurrent(
  `runs the newer version that the hub has, and keeps the one before until that reports${lacks}`,
  async ({ onTestFinished }) => {
    const { door, machine } = await offerAnother((text) => text, onTestFinished);
    await soon(async () => expect(await machine.read("agent.sh")).toContain(`version=${"b".repeat(16)}`), 30_000);
    await soon(() => expect([has(machine, "trial"), has(machine, "agent.old")]).toEqual([false, false]), 30_000);
    const count = door.taken.length;
    await soon(() => expect(door.taken.length).toBeGreaterThan(count + 2));
    expect(has(machine, "refused")).toBe(false);
  },
  90_000,
);

test.skipIf(lacks !== "").concurrent(
  `goes back to the version before when a newer one does not come up, and says so${lacks}`,
  async ({ onTestFinished }) => {
    const { door, machine } = await offerAnother((text) => text.replace("# ---- the upload", "exit 3"), onTestFinished);
    await soon(() => expect(has(machine, "trial")).toBe(true), 30_000);
    await soon(() => expect(has(machine, "refused")).toBe(true), 60_000);
    expect(await machine.read("refused")).toBe(`${"b".repeat(16)}\n`);
    const count = door.taken.length;
    await soon(() => expect(door.taken.length).toBeGreaterThan(count + 2), 30_000);
    expect(door.tellings.at(-1)?.failures).toMatchObject([{ section: "agent", reason: /did not come up there/ }]);
  },
  180_000,
);

test.skipIf(lacks !== "").concurrent(
  `a half script is not run, and one that was killed is started again, with nothing left behind${lacks}`,
  async ({ onTestFinished }) => {
    const { door, machine } = await offerAnother((text) => text.slice(0, text.length - 40), onTestFinished);
    const count = door.taken.length;
    await soon(() => expect(door.taken.length).toBeGreaterThan(count + 3), 30_000);
    expect(await machine.read("agent.sh")).not.toContain("b".repeat(16));
    const launcher = Number(await machine.read("pid"));
    const before = (await machine.processes()).filter((pid) => pid !== launcher);
    for (const pid of before) process.kill(pid, "SIGKILL");
    const killed = door.taken.length;
    await soon(() => expect(door.taken.length).toBeGreaterThan(killed + 2), 90_000);
    const after = await machine.processes();
    expect(after).toContain(launcher);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(after.length).toBeLessThanOrEqual(9);
    const sequences = door.taken.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
  },
  180_000,
);

test.skipIf(lacks !== "").concurrent(
  `what a loss of power has left of a tick is dropped, and the rest comes${lacks}`,
  async ({ onTestFinished }) => {
    const door = await openDoor(onTestFinished);
    const machine = await makeMachine("busybox", onTestFinished);
    expect((await machine.type(door.lineFor("node5"))).code).toBe(0);
    await door.close();
    const spool = join(machine.live(), "spool");
    await soon(async () => expect((await readdir(spool)).length).toBeGreaterThanOrEqual(4), 60_000);
    const waiting = (await readdir(spool)).sort().at(-2) ?? "";
    await writeFile(join(spool, waiting), "\0".repeat(200_000));
    await openDoor(onTestFinished, door.port, door.scene);
    await soon(() => expect(door.taken.at(-1)?.sequence).toBeGreaterThan(Number(waiting) + 2), 60_000);
    expect(door.taken.map(({ sequence }) => sequence)).not.toContain(Number(waiting));
  },
  180_000,
);
