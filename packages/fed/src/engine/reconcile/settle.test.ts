import { expect, test } from "vitest";
import { diff } from "./diff.ts";
import type { Desired, DesiredService, ObservedInstance } from "./plan.ts";
import { settlingIn } from "./settle.ts";

const service: DesiredService = {
  ...{ key: "dev/web", spec: "bbbbbb", fields: {}, replicas: 1, needs: [], exclusive: [] },
  fallback: { spec: "aaaaaa", settleMs: 10_000 },
};
const old: ObservedInstance = {
  ...{ id: "i1", service: "dev/web", spec: "aaaaaa", replica: 0, state: "running", health: "healthy" },
  ...{ servesSinceMs: 0, routed: true },
};
const fresh: ObservedInstance = { ...old, id: "i2", spec: "bbbbbb", servesSinceMs: 100_000 };
const aside: ObservedInstance = { ...old, routed: false, drained: true };

function planAt(nowMs: number, instances: readonly ObservedInstance[], said: Partial<DesiredService> = {}) {
  const desired: Desired = { hash: "h", earlier: {}, services: [{ ...service, ...said }] };
  const observed = { instances };
  const { steps, notes } = diff(desired, observed, { hash: (text) => text, nowMs });
  return {
    steps: steps.map(({ id }) => id.replace("dev/web ", "")),
    notes,
    settling: settlingIn(desired, observed, nowMs),
  };
}

test("what served stands by, its requests ended, until who took over has lasted", () => {
  expect(planAt(99_000, [old]).steps).toEqual(["start 0 bbbbbb", "check bbbbbb", "switch bbbbbb", "drain i1"]);
  const watched = planAt(105_000, [aside, fresh]);
  expect(watched).toMatchObject({ steps: [], settling: [{ key: "dev/web", untilMs: 110_000 }] });
  expect(watched.notes).toEqual([
    "dev/web is watched until it has served well for 10 s; the release before it stands by",
  ]);
  expect(planAt(110_000, [aside, fresh])).toMatchObject({
    ...{ steps: ["drain i1", "stop i1", "remove i1"], notes: [], settling: [] },
  });
});

test("what stands by serves again at once when who took over has ended, and is not ended with what was given up", () => {
  const ended: ObservedInstance = { ...fresh, state: "exited", health: "unknown", exit: "exit code 1" };
  const hold = { kind: "gaveUp", crashes: 1, last: "exit code 1" } as const;
  expect(planAt(105_000, [aside, ended], { hold }).steps).toEqual(["switch aaaaaa"]);
  // Somebody cancels: what stood by is what is wanted.
  expect(planAt(105_000, [aside, fresh], { spec: "aaaaaa", fallback: undefined }).steps).toEqual([
    ...["switch aaaaaa", "drain i2", "stop i2", "remove i2"],
  ]);
  // One of two has ended: whoever is left serves, and what stands by still does.
  const two = planAt(105_000, [aside, ended, { ...fresh, id: "i3", replica: 1 }], { hold, replicas: 2 });
  expect(two.steps).toEqual(["switch bbbbbb"]);
});

test("what is left of other releases goes at once, and so does what stands by in bad health or for nothing", () => {
  const other: ObservedInstance = { ...aside, id: "i0", spec: "cccccc" };
  expect(planAt(105_000, [other, aside, fresh]).steps).toEqual(["drain i0", "stop i0", "remove i0"]);
  expect(planAt(105_000, [{ ...aside, health: "unhealthy" }, fresh]).steps).toContain("stop i1");
  expect(planAt(105_000, [aside, fresh], { fallback: undefined }).steps).toContain("stop i1");
  expect(planAt(105_000, [aside, fresh], { fallback: { spec: "aaaaaa", settleMs: 0 } }).steps).toContain("stop i1");
});

test("whoever stops first is watched as well, with nothing that stands by", () => {
  const said = { stopFirst: "it keeps data", exclusive: undefined };
  expect(planAt(99_000, [old], said).steps).toContain("stop i1");
  expect(planAt(105_000, [fresh], said)).toMatchObject({
    ...{ steps: [], notes: ["dev/web is watched until it has served well for 10 s"] },
    settling: [{ untilMs: 110_000 }],
  });
});

test("one too many that never came to serve does not keep up the one that has lasted", () => {
  const sick: ObservedInstance = { ...fresh, id: "i0", health: "unhealthy", servesSinceMs: undefined };
  const lasted = { ...fresh, servesSinceMs: 0 };
  const { steps } = planAt(10_000, [sick, aside, lasted]);
  expect(steps.filter((step) => step.startsWith("stop")).sort()).toEqual(["stop i0", "stop i1"]);
});
