import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { EngineClient } from "./client.ts";
import { podmanDialect } from "./dialect.ts";
import { inspectContainer } from "./look.ts";
import { refusal } from "./refusal.ts";
import { makeState } from "./state.ts";

const going = new AbortController().signal;
const there = { Id: "c1", Created: "", State: { Status: "exited" }, Config: { Labels: {} } };

/** What an engine answers, one after the other; the last for ever. */
function stateOf(...answers: readonly (object | string)[]) {
  const left = [...answers];
  let asked = 0;
  const client = {
    name: "podman",
    async json() {
      asked++;
      const answer = left.length > 1 ? left.shift() : left[0];
      if (typeof answer === "string") throw refusal("podman: look at container c1", 500, answer);
      return answer;
    },
  } as Partial<EngineClient> as EngineClient;
  const state = makeState({ client, dialect: podmanDialect, clock: handClock(), trace: silentTrace });
  return { state, asked: () => asked };
}

test.each(["read /proc/1469/cgroup: no such process", "open /proc/1469/cgroup: no such file or directory"])(
  "a container that ends while Podman looks at it (%s) is looked at again",
  async (says) => {
    const { state } = stateOf(says, says, there);
    expect(await inspectContainer(state, "c1", going)).toMatchObject({ Id: "c1" });
  },
);

test("an engine that says so for ever is not asked for ever, and another refusal is one", async () => {
  const dead = stateOf("read /proc/1469/cgroup: no such process");
  await expect(inspectContainer(dead.state, "c1", going)).rejects.toThrow("no such process");
  expect(dead.asked()).toBe(5);
  const full = stateOf("no space left on device", there);
  await expect(inspectContainer(full.state, "c1", going)).rejects.toThrow("no space left");
});
