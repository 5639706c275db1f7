import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { EngineClient } from "./client.ts";
import { dockerDialect } from "./dialect.ts";
import { toEngineLabels } from "./label.ts";
import { makeState, observe } from "./state.ts";
import { stopInstance } from "./stop.ts";

const labels = { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 };

test("what was thought to have ended, and runs, is asked to end and then killed as anything else", async () => {
  const clock = handClock();
  const signals: string[] = [];
  const asked = Promise.withResolvers<void>();
  const killed = Promise.withResolvers<void>();
  const inspected = () => ({
    ...{ Id: "c1", Created: "", Config: { Labels: toEngineLabels("ins_a", labels, undefined) } },
    State: { Status: signals.includes("SIGKILL") ? "exited" : "running", StartedAt: new Date(1).toISOString() },
  });
  const client = {
    name: "docker",
    async json({ path, query }) {
      if (path.endsWith("/json")) return inspected();
      if (path.endsWith("/wait")) return killed.promise;
      signals.push(String(query?.signal));
      asked.resolve();
      if (query?.signal === "SIGKILL") killed.resolve();
      return undefined;
    },
  } as Partial<EngineClient> as EngineClient;
  const state = makeState({ client, dialect: dockerDialect, clock, trace: silentTrace });
  const address = { host: "127.0.0.1", port: 1 };
  const instance = { id: "ins_a", labels, state: "exited", address, startedMs: 1, exit: { atMs: 2 } } as const;
  observe(state, { container: "c1", stopSignal: "SIGTERM", limits: "none", instance }, 0);
  const stopped = stopInstance(state, "ins_a", 1_000, new AbortController().signal);
  await asked.promise;
  await clock.turn(1_000);
  await stopped;
  expect(signals).toEqual(["SIGTERM", "SIGKILL"]);
});
