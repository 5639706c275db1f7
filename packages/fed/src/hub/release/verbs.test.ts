import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { awayMs, rollDeadlineMs } from "./overdue.ts";
import { file, imageOf, labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";

const api = resolvedOf("dev/api");
const place = { environment: "dev", service: "api" };

test("a lab makes the first release of a process, which counts once it serves", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, wantedOf, told, serve } = scene;
  take(labOf([api]));

  expect(wantedOf("dev/api")).toMatchObject({ spec: api.spec, release: { number: 1 }, held: undefined, replicas: 1 });
  expect(releases.open()).toMatchObject([{ cause: "apply", state: "rolling", by: "file" }]);
  await serve("dev/api");
  expect(releases.open()).toEqual([]);
  expect(releases.rollouts(place, 5)).toMatchObject([{ state: "done", reason: "" }]);
  expect(told()).toEqual(["rollout.began", "release.made", "rollout.done"]);
});

test("the same lab again begins nothing, also for the next hub", async () => {
  await using scene = makeReleaseScene();
  const { take, serve, told, open } = scene;
  take(labOf([api]));
  await serve("dev/api");
  take(labOf([api]));
  const next = open();
  take(labOf([api]), file, next);
  expect(next.wanted.services).toMatchObject([{ release: { number: 1 } }]);
  expect(told()).toHaveLength(3);
  await next.close();
});

test("a release that fails is gone back from at once, and not tried again until the lab changes", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail, wantedOf } = scene;
  take(labOf([api]));
  await serve("dev/api");
  const next = withVariable(api, "b");
  take(labOf([next]));
  expect(wantedOf("dev/api")).toMatchObject({ spec: next.spec, release: { number: 2 } });

  fail("dev/api", "ended before it was healthy: exit code 1");
  expect(wantedOf("dev/api")).toMatchObject({ spec: api.spec, release: { number: 1 } });
  expect(releases.rollouts(place, 1)).toMatchObject([
    { state: "failed", reason: "ended before it was healthy: exit code 1", output: "the last words" },
  ]);
  take(labOf([next]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  take(labOf([withVariable(api, "c")]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 3 } });
});

test("an apply by hand tries again what failed, and leaves alone what somebody has rolled back", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail, wantedOf } = scene;
  const other = resolvedOf("dev/web");
  take(labOf([api, other]));
  await serve("dev/api");
  await serve("dev/web");
  take(labOf([withVariable(api, "b"), withVariable(other, "b")]));
  fail("dev/api");
  await serve("dev/web");
  releases.rollback({ environment: "dev", service: "web" }, undefined, origin);
  await serve("dev/web");

  releases.retry(origin);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 3 } });
  expect(wantedOf("dev/web")).toMatchObject({ release: { number: 1 } });
});

test("a first release that fails stays wanted until it is given up, and may yet come to serve", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail, wantedOf } = scene;
  take(labOf([api]));
  fail("dev/api");
  expect(releases.open()).toMatchObject([{ state: "rolling", reason: "exit code 1" }]);
  fail("dev/api", "exit code 2", true);
  expect(releases.open()).toEqual([]);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: "exit code 2" }]);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  await serve("dev/api");
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done" }]);
});

test("what services report of a spec that is not rolling out changes nothing", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  take(labOf([api]));
  releases.failed("dev/api", "another", { reason: "", output: "", final: true });
  releases.serving("dev/api", "another");
  releases.serving("dev/none", api.spec);
  await scene.clock.turn(0);
  expect(releases.open()).toMatchObject([{ state: "rolling", reason: "" }]);
  await serve("dev/api");
  // After it has served, an end is a crash like any other.
  releases.failed("dev/api", api.spec, { reason: "exit code 1", output: "", final: true });
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done" }]);
});

test("a deploy and a restart of a process make new instances of the same", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  take(labOf([api]));
  await serve("dev/api");
  releases.deploy(place, origin);
  const second = wantedOf("dev/api");
  expect(second).toMatchObject({ release: { number: 2 }, fields: { ...api.fields, restart: "2" } });
  expect(second?.spec).not.toBe(api.spec);
  await serve("dev/api");
  releases.restart("dev/api", origin);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 3 }, fields: { ...api.fields, restart: "3" } });
  await serve("dev/api");
  // What instances do not see leaves them alone.
  take(labOf([resolvedOf("dev/api", { route: "api.localhost" })]));
  expect(wantedOf("dev/api")).toMatchObject({
    release: { number: 4 },
    fields: { restart: "3" },
    route: "api.localhost",
  });
});

test("one rollout at a time: a second is refused, an edit of the lab takes its place, a cancel ends it", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  take(labOf([api]));
  await serve("dev/api");
  releases.deploy(place, origin);
  expect(() => releases.deploy(place, origin)).toThrow("a rollout of dev/api is under way, begun by user:ada");
  expect(() => releases.rollback(place, undefined, origin)).toThrow(/under way/);
  take(labOf([withVariable(api, "b")]));
  expect(releases.rollouts(place, 2)).toMatchObject([
    { state: "rolling", cause: "apply", request: { before: wantedId(1) } },
    { state: "cancelled", reason: "the lab has changed" },
  ]);
  releases.cancel(place, origin);
  expect(releases.open()).toEqual([]);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  expect(() => releases.cancel(place, origin)).toThrow("no rollout of dev/api is under way");

  function wantedId(number: number) {
    return releases.release(place, number).id;
  }
});

test("a first release that only fails gives way to another try", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, fail, wantedOf } = scene;
  take(labOf([api]));
  expect(() => releases.deploy(place, origin)).toThrow(/under way/);
  fail("dev/api");
  releases.deploy(place, origin);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 2 }, fields: { restart: "2" } });
});

test("the first release that is cancelled leaves nothing wanted, and says so", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, wantedOf } = scene;
  take(labOf([api]));
  releases.cancel(place, origin);
  expect(wantedOf("dev/api")).toMatchObject({ release: undefined, held: "has no release: its rollout was cancelled" });
});

test("stop, start and scale by hand hold until the lab says another number", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, wantedOf, told } = scene;
  take(labOf([api]));
  releases.scale("dev/api", 3, origin);
  expect(wantedOf("dev/api")).toMatchObject({ replicas: 3 });
  releases.stop("dev/api", origin);
  releases.stop("dev/api", origin);
  expect(wantedOf("dev/api")).toMatchObject({ replicas: 0, stopped: true });
  releases.start("dev/api", origin);
  take(labOf([withVariable(api, "b")]));
  expect(wantedOf("dev/api")).toMatchObject({ replicas: 3, stopped: false });
  take(labOf([resolvedOf("dev/api", { replicas: 2 })]));
  expect(wantedOf("dev/api")).toMatchObject({ replicas: 2 });
  expect(told().filter((type) => /Asked|scaled/.test(type))).toEqual([
    "service.scaled",
    "service.stopAsked",
    "service.startAsked",
  ]);
});

test("what leaves the lab is forgotten: when it comes back it begins anew", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  take(labOf([api]));
  await serve("dev/api");
  releases.stop("dev/api", origin);
  releases.deploy(place, origin);
  take(labOf([]));
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "cancelled", reason: "it is no longer in the lab" }]);
  take(labOf([api]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 3 }, stopped: false });
});

test("a service that cannot run here begins nothing; where an earlier release serves, it fails and that goes on", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  const away = resolvedOf("dev/web", { unsupported: "it is a process on node5" });
  take(labOf([api, away]));
  expect(releases.rollouts({ environment: "dev", service: "web" }, 5)).toEqual([]);
  expect(wantedOf("dev/web")).toMatchObject({ unsupported: "it is a process on node5", release: undefined });
  expect(() => releases.deploy({ environment: "dev", service: "web" }, origin)).toThrow(Fault);
  await serve("dev/api");
  take(labOf([resolvedOf("dev/api", { machine: "node5", unsupported: "it is a process on node5" })]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 }, machine: "hub", unsupported: undefined });
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: /does not run here/ }]);
});

test("a plan sees what a lab would make wanted, and writes nothing", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  const shop = resolvedOf("dev/shop", { workload: imageOf("registry.example:5000/shop:1") });
  take(labOf([api]));
  await serve("dev/api");
  const next = labOf([withVariable(api, "b"), shop]);
  const before = releases.wanted.hash;
  const seen = releases.preview(next);
  expect(seen.services).toMatchObject([
    { key: "dev/api", spec: withVariable(api, "b").spec, release: { number: 2 } },
    { key: "dev/shop", held: undefined, fields: { image: "not known yet" } },
  ]);
  expect(seen.hash).not.toBe(before);
  expect(releases.preview(labOf([api])).hash).toBe(before);
  expect(wantedOf("dev/shop")).toBeUndefined();
  expect(releases.rollouts(undefined, 9)).toHaveLength(1);
});

const away = resolvedOf("dev/api", { machine: "node5", container: { mounts: [], hosts: {} } });

test("a rollout on a machine that is lost fails after a while, and says so", async () => {
  await using scene = makeReleaseScene();
  const { releases, clock, take, serve, wantedOf } = scene;
  releases.begin();
  take(labOf([away]));
  await serve("dev/api");
  take(labOf([withVariable(away, "b")]));
  scene.away.add("node5");
  await clock.turn(awayMs / 2);
  scene.away.delete("node5");
  await clock.turn(10_000);
  scene.away.add("node5");
  await clock.turn(awayMs);
  expect(releases.open()).toHaveLength(1);
  await clock.turn(10_000);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: "node5 cannot be asked: no answer" }]);
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  expect(clock.waiting).toBe(0);
});

test("a rollout that nobody reports the end of has a deadline", async () => {
  await using scene = makeReleaseScene();
  const { releases, clock, take } = scene;
  releases.begin();
  take(labOf([api]));
  await clock.turn(rollDeadlineMs + 10_000);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: /not come to serve within 60 min/ }]);
});

test("what cannot be written down is tried again after a pause", async () => {
  let full = false;
  let asked = 0;
  await using scene = makeReleaseScene();
  const { events, registry, clock, take } = scene;
  const reference = registry.publish("registry.example:5000/shop:1") && "registry.example:5000/shop:1";
  const next = scene.open({
    events: {
      ...events,
      deed(origin, work) {
        if (full) asked++;
        if (full) throw new Fault("unreachable", "the disk is full");
        return events.deed(origin, work);
      },
    },
  });
  take(labOf([resolvedOf("dev/shop", { workload: { kind: "image", reference } })]), file, next);
  full = true;
  next.begin();
  await clock.turn(1_000);
  // Once that it is there, once that this could not be said.
  expect(asked).toBe(2);
  full = false;
  await clock.turn(30_000);
  expect(next.open()).toMatchObject([{ state: "rolling" }]);
  await next.close();
});

test("what an instance said is kept without the values of secrets", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, fail } = scene;
  take(labOf([api]));
  fail("dev/api", "cannot log in with hunter2", true);
  expect(releases.rollouts(place, 1)).toMatchObject([{ reason: "cannot log in with ***" }]);
});

test("rollouts are told of so far back; that a release has served is known as long as it is kept", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  take(labOf([api]));
  await serve("dev/api");
  for (const value of ["b", "c"]) {
    take(labOf([withVariable(api, value)]));
    await serve("dev/api");
  }
  for (let round = 0; round < 30; round++) {
    releases.rollback(place, round % 2 === 0 ? 1 : 2, origin);
    await serve("dev/api");
    releases.deploy(place, origin);
    releases.cancel(place, origin);
  }
  const kept = releases.rollouts(place, 500);
  expect(kept.length).toBeGreaterThanOrEqual(20);
  expect(kept.length).toBeLessThanOrEqual(23);
  expect(releases.good(place)).toEqual(new Set([1, 2, 3].map((number) => releases.release(place, number).id)));
});

test("what the lab says and has failed is tried again by an apply, also after a restart of what was before", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail } = scene;
  take(labOf([api]));
  await serve("dev/api");
  take(labOf([withVariable(api, "b")]));
  fail("dev/api");
  releases.restart("dev/api", origin);
  await serve("dev/api");
  expect(releases.brief("dev/api")).toMatchObject({ differs: "release 2 failed: exit code 1" });
  releases.retry(origin);
  expect(releases.open()).toMatchObject([{ cause: "apply", state: "rolling" }]);
});

test("what is cancelled in the moment in which it comes to serve is cancelled", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf, clock } = scene;
  take(labOf([api]));
  await serve("dev/api");
  take(labOf([withVariable(api, "b")]));
  releases.serving("dev/api", wantedOf("dev/api")?.spec ?? "");
  releases.cancel(place, origin);
  await clock.turn(0);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "cancelled" }]);
  expect(releases.good(place).size).toBe(1);
});
