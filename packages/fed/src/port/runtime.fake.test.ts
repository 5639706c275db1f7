import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { type FakeBehaviour, makeFakeRuntime } from "./runtime.fake.ts";
import { runtimeSuite } from "./runtime.suite.ts";
import type { InstanceSpec } from "./runtime.ts";

const going = () => new AbortController().signal;
const spec: InstanceSpec = {
  id: "ins_a",
  labels: { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 },
  workload: { kind: "image", reference: "example.org/a:1" },
  environment: {},
  limits: {},
};

runtimeSuite("fake", async () => {
  const behaviours = new Map<unknown, FakeBehaviour>();
  const behave = ({ workload }: InstanceSpec) => behaviours.get(workload) ?? {};
  const runs = ({ environment }: InstanceSpec, [command = "", , script = ""]: readonly string[]) => {
    if (command !== "sh") return { code: 127, output: `${command}: not found` };
    if (script.includes("sleep")) return { code: 124, output: "" };
    return { code: 3, output: `${environment.COLOUR}\nbad\n` };
  };
  const runtime = makeFakeRuntime({ clock: systemClock, behave, runs });
  return {
    runtime,
    reopen: async () => runtime.reopen(),
    workload(behaviour) {
      const workload = { kind: "process", command: ["fake"], folder: "/" } as const;
      behaviours.set(workload, behaviour);
      return workload;
    },
    close: async () => {},
  };
});

test("the fake crashes, prints and refuses as told", async () => {
  const runtime = makeFakeRuntime({ clock: handClock() });
  runtime.failStart(new Fault("internal", "out of processes"));
  await expect(runtime.start(spec, going())).rejects.toMatchObject({ code: "internal" });
  await runtime.start(spec, going());
  runtime.print("ins_a", "hello");
  const lines: string[] = [];
  const followed = (async () => {
    for await (const { text } of runtime.logs("ins_a", { follow: true }, going())) lines.push(text);
  })();
  runtime.print("ins_a", "more");
  runtime.crash("ins_a");
  await followed;
  expect(lines).toEqual(["hello", "more"]);
  expect(await runtime.list(going())).toMatchObject([{ state: "exited", exit: { code: 1 } }]);
  expect(runtime.started).toEqual([spec]);
});

test("the fake's grace passes on the clock alone", async () => {
  const clock = handClock();
  const runtime = makeFakeRuntime({ clock, behave: () => ({ onTerm: "ignores" }) });
  await runtime.start(spec, going());
  const stopped = runtime.stop("ins_a", 10_000, going());
  await clock.turn(9_999);
  expect(await runtime.list(going())).toMatchObject([{ state: "running" }]);
  await clock.turn(1);
  await stopped;
  expect(await runtime.list(going())).toMatchObject([{ exit: { signal: "SIGKILL" } }]);
  expect(clock.waiting).toBe(0);
});
