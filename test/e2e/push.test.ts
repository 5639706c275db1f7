import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeAgentKit } from "../../packages/fed/src/adapter/agent/index.ts";
import { makeLinuxCollector } from "../../packages/fed/src/adapter/linux/index.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { going, makeScene, origin } from "../../packages/fed/src/hub/agent/agent.scene.ts";
import { agentHandlers } from "../../packages/fed/src/hub/agent/http.ts";
import type { AnyHandler } from "../../packages/fed/src/hub/serve/route.ts";
import { serveTable } from "../../packages/fed/src/hub/serve/serve.ts";
import { agentApi } from "../../packages/fed/src/wire/agent.ts";
import { makeMachine, shells } from "./push.ts";

/** The agent as it runs on machines, against the door of the hub for it. */
async function openDoor(port = 0, before?: ReturnType<typeof makeScene>, change = (text: string) => text) {
  const collector = makeLinuxCollector();
  const made = makeAgentKit(collector);
  const kit = { ...made, script: (mark: string) => change(made.script(mark)) };
  const scene = before ?? makeScene({ clock: systemClock, kit, collector });
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
  onTestFinished(() => served.close());
  const url = `http://127.0.0.1:${served.port}`;
  const lineFor = (name: string) => `curl -fsSL ${url}/join/${scene.agents.allow(name, "server", origin).token} | sh`;
  return { ...scene, scene, url, port: served.port, lineFor, close: () => served.close(), kit: made };
}

const soon = (look: () => unknown, timeout = 20_000) => vi.waitFor(look, { timeout, interval: 20 });

describe.each(shells)("on %s", (shell) => {
  test("joins, reports each second, keeps what it cannot send, and goes without a trace", async () => {
    const door = await openDoor();
    const machine = await makeMachine(shell);
    const joined = await machine.type(door.lineFor("node5"));
    expect(joined.err).toContain("node5 reports to");
    expect(joined.code).toBe(0);
    await soon(() => expect(door.taken.length).toBeGreaterThanOrEqual(3));
    expect(new Set(door.taken.map(({ machine: name }) => name))).toEqual(new Set(["node5"]));

    await door.close();
    const before = door.taken.length;
    await soon(async () => expect((await readdir(join(machine.live(), "spool"))).length).toBeGreaterThanOrEqual(1));
    const again = await openDoor(door.port, door.scene);
    await soon(() => expect(door.taken.length).toBeGreaterThan(before + 2), 30_000);
    const sequences = door.taken.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, n) => (sequences[0] ?? 0) + n));
    const times = door.taken.map(({ machineMs }) => machineMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));

    const removed = await again.agents.remove("node5", origin, going());
    expect(removed).toBe(true);
    await soon(async () => expect(await machine.processes()).toEqual([]));
    expect([existsSync(machine.folder), existsSync(machine.live())]).toEqual([false, false]);
  }, 60_000);
});
