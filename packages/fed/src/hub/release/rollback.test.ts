import { expect, test } from "vitest";
import { imageOf, labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";

/** The way back: what a rollback restores, for how long it holds, and what it takes from nobody. */

const api = resolvedOf("dev/api");
const place = { environment: "dev", service: "api" };

test("a rollback makes the very same spec wanted, also after the lab changed, and holds until it changes again", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  const routed = resolvedOf("dev/api", { route: "api.localhost" });
  take(labOf([routed]));
  await serve("dev/api");
  const next = resolvedOf("dev/api", { fields: { run: "other" }, route: undefined });
  take(labOf([next]));
  await serve("dev/api");

  const rollout = releases.rollback(place, undefined, origin);
  expect(rollout).toMatchObject({ cause: "rollback", state: "rolling", by: "user:ada" });
  expect(wantedOf("dev/api")).toMatchObject({ spec: routed.spec, route: "api.localhost", release: { number: 1 } });
  await serve("dev/api");
  take(labOf([next]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  // The lab comes to say what is wanted already.
  take(labOf([routed]));
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 } });
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done", reason: /release 1 is the same/ }]);
  expect(releases.releases(place).map(({ number }) => number)).toEqual([2, 1]);
});

test.each([
  ["a release that is not kept", 7, "missing", /no release 7/],
  ["the one that is wanted", 2, "conflict", /wanted already/],
  ["one that needs what is gone", 1, "conflict", /needs dev\/db, which the lab has no more/],
] as const)("a rollback to %s is refused", async (_what, to, code, message) => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  const needing = resolvedOf("dev/api", { needs: ["dev/db"] });
  take(labOf([needing, resolvedOf("dev/db")]));
  await serve("dev/api");
  take(labOf([withVariable(api, "b")]));
  await serve("dev/api");
  const refused = () => releases.rollback(place, to, origin);
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ code }));
});

test("a rollback without a number that would only bring other instances says which words do", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  take(labOf([api]));
  await serve("dev/api");
  releases.restart("dev/api", origin);
  await serve("dev/api");
  expect(() => releases.rollback(place, undefined, origin)).toThrow(
    expect.objectContaining({
      code: "missing",
      message: "no earlier release of dev/api says anything else than release 2",
      hint: expect.stringContaining("fed rollback dev/api --to 1 goes back to it"),
    }),
  );
});

test("a rollback does not take a host name from who has it now", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  take(labOf([resolvedOf("dev/api", { route: "shop.localhost" })]));
  await serve("dev/api");
  take(labOf([api, resolvedOf("dev/web", { route: "Shop.localhost" })]));
  await serve("dev/api");
  expect(() => releases.rollback(place, 1, origin)).toThrow("its host name shop.localhost is that of dev/web now");
});

test("a failed release does not keep the host name that the lab has given to another", async () => {
  await using scene = makeReleaseScene();
  const { take, serve, fail, wantedOf } = scene;
  take(labOf([resolvedOf("dev/api", { route: "shop.localhost" })]));
  await serve("dev/api");
  take(labOf([withVariable(api, "b"), resolvedOf("dev/web", { route: "shop.localhost" })]));
  fail("dev/api");
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 1 }, route: undefined });
  expect(wantedOf("dev/web")).toMatchObject({ route: "shop.localhost" });
});

test("a release of what is stopped is ready, but has not served: it is no one to go back to before it does", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail, wantedOf } = scene;
  take(labOf([api]));
  await serve("dev/api");
  releases.stop("dev/api", origin);
  take(labOf([withVariable(api, "b")]));
  await serve("dev/api");
  const told = scene.told().length;
  await serve("dev/api");
  expect(scene.told()).toHaveLength(told);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done", reason: "nothing of it is to run now" }]);
  expect(releases.good(place).size).toBe(1);
  releases.start("dev/api", origin);
  fail("dev/api");
  expect(wantedOf("dev/api")).toMatchObject({ release: { number: 2 }, replicas: 1 });
  await serve("dev/api");
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done", reason: "" }]);
  expect(releases.good(place).size).toBe(2);
});

test("a rollback holds over applies, whatever comes of the restarts and rollbacks after it", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, fail, wantedOf } = scene;
  for (const value of ["a", "b", "c"]) {
    take(labOf([withVariable(api, value)]));
    await serve("dev/api");
  }
  releases.rollback(place, 2, origin);
  await serve("dev/api");
  const fails = () => fail("dev/api");
  const isCancelled = () => void releases.cancel(place, origin);
  for (const ends of [fails, isCancelled]) {
    for (const begin of [() => releases.restart("dev/api", origin), () => releases.rollback(place, 1, origin)]) {
      begin();
      ends();
      releases.retry(origin);
      expect(releases.open()).toEqual([]);
      expect(wantedOf("dev/api")).toMatchObject({ release: { number: 2 } });
      expect(releases.brief("dev/api")).toMatchObject({ differs: "somebody went back to release 2" });
    }
  }
});

test("what was given up and comes to serve while a rollback is made ready is what its cancel goes back to", async () => {
  await using scene = makeReleaseScene();
  const { registry, clock, take, releases, wants } = scene;
  const reference = "registry.example:5000/api:1";
  registry.publish(reference);
  releases.begin();
  const base = resolvedOf("dev/api", { workload: imageOf(reference) });
  const wanted = () => wants.at(-1)?.wanted.services[0];
  take(labOf([base]));
  await clock.turn(0);
  take(labOf([withVariable(base, "a")]));
  await clock.turn(0);
  expect(wanted()?.release?.number).toBe(2);
  releases.failed("dev/api", wanted()?.spec ?? "", { reason: "exit code 1", output: "", final: true });
  releases.rollback(place, 1, origin);
  expect(releases.open()).toMatchObject([{ state: "preparing" }]);
  releases.serving("dev/api", wanted()?.spec ?? "");
  await clock.turn(0);
  expect(wanted()?.release?.number).toBe(1);
  releases.cancel(place, origin);
  expect(wanted()?.release?.number).toBe(2);
});
