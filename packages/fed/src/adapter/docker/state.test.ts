import fc from "fast-check";
import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { RuntimeEvent } from "#port/runtime.ts";
import type { EngineClient } from "./client.ts";
import type { Seen } from "./container.ts";
import { dockerDialect } from "./dialect.ts";
import { makeState, observe, observeGone, observeStart, type State } from "./state.ts";

const labels = { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 };

function seenAt(state: "running" | "exited", startedMs = 1): Seen {
  const address = { host: "127.0.0.1", port: 1 };
  const instance = { id: "ins_a", labels, state, address, startedMs };
  const exit = { code: 1, atMs: 2 };
  return {
    container: "c1",
    stopSignal: "SIGTERM",
    limits: "none",
    instance: state === "exited" ? { ...instance, exit } : instance,
  };
}

function make(): { readonly state: State; said(): Promise<readonly string[]> } {
  const client = { name: "docker" } as EngineClient;
  const state = makeState({ client, dialect: dockerDialect, clock: handClock(), trace: silentTrace });
  const events = state.events.read(new AbortController().signal);
  return {
    state,
    async said() {
      state.events.close();
      const kinds: RuntimeEvent["kind"][] = [];
      for await (const { kind } of events) kinds.push(kind);
      return kinds;
    },
  };
}

test("one whose limits somebody changes is told once, and stays changed", async () => {
  const { state, said } = make();
  state.hasLooked = true;
  const raised = { ...seenAt("running"), limits: "more" };
  for (const seen of [seenAt("running"), seenAt("running"), raised, raised, seenAt("running")]) observe(state, seen, 0);
  expect(state.known.get("ins_a")?.instance.altered).toBe(true);
  expect(await said()).toEqual(["started", "altered"]);
});

test("answers that come late, twice or in any order tell each change once", async () => {
  const deeds = {
    running: (state: State) => observe(state, seenAt("running"), 0),
    exited: (state: State) => observe(state, seenAt("exited"), 0),
    gone: (state: State) => observeGone(state, "c1"),
  };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...(Object.keys(deeds) as (keyof typeof deeds)[]))), async (order) => {
      const { state, said } = make();
      state.hasLooked = true;
      observeStart(state, seenAt("running"));
      for (const deed of order) deeds[deed](state);
      const expected = ["started"];
      if (order.includes("exited") || order.includes("gone")) expected.push("exited");
      if (order.includes("gone")) expected.push("removed");
      expect(await said()).toEqual(expected);
    }),
  );
});

test("what was there at the first look is no news, what ends later is", async () => {
  const { state, said } = make();
  observe(state, seenAt("running"), 0);
  state.hasLooked = true;
  observe(state, seenAt("exited"), 0);
  observe(state, seenAt("running", 5), 0);
  expect(await said()).toEqual(["exited", "started"]);
});

test("nothing is told of an instance whose start is on its way", async () => {
  const { state, said } = make();
  state.hasLooked = true;
  state.starting.set("ins_a", "fed-ocean-dev");
  observe(state, seenAt("running"), 0);
  observe(state, seenAt("exited"), 0);
  state.starting.delete("ins_a");
  observeStart(state, seenAt("exited"));
  expect(await said()).toEqual(["started", "exited"]);
});

test("an engine that was asked since and says that it runs is believed, an answer from before is not", async () => {
  const { state, said } = make();
  state.hasLooked = true;
  const look = (at: "running" | "exited", asked: number) => observe(state, seenAt(at), asked);
  const stateNow = () => state.known.get("ins_a")?.instance.state;
  state.turn = 2;
  look("exited", 2);
  look("running", 1);
  expect(stateNow()).toBe("exited");
  state.turn = 3;
  look("running", 3);
  expect(stateNow()).toBe("running");
  state.turn = 5;
  observeGone(state, "c1");
  look("running", 4);
  state.turn = 6;
  look("exited", 6);
  expect(stateNow()).toBeUndefined();
  look("running", 6);
  expect(stateNow()).toBe("running");
  state.turn = 7;
  look("exited", 7);
  expect(await said()).toEqual(["exited", "exited", "removed", "started", "exited"]);
});
