import { expect, test } from "vitest";
import { labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";

const api = resolvedOf("dev/api");
const place = { environment: "dev", service: "api" };
const lacking = { ...withVariable(api, "version none"), missing: ["DB", "KEY"] };
const reason = [
  "the secrets DB and KEY have no value in dev: `fed secret set DB --env dev` and `fed secret set KEY --env dev`",
  "give them one, and begin this again",
].join(" ");

test("what lacks a secret comes to nothing at once, says how to give it, and leaves what serves alone", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf, told } = scene;
  take(labOf([api]));
  await serve("dev/api");
  expect(releases.preview(labOf([lacking]))).toMatchObject({
    ...{ services: [{ spec: api.spec }], notes: [`dev/api stays at release 1: ${reason}`] },
  });
  take(labOf([lacking]));
  expect(wantedOf("dev/api")).toMatchObject({ spec: api.spec, release: { number: 1 } });
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason }]);
  expect(scene.heard.at(-1)).toMatchObject({ kind: "rollout", state: "failed", reason });
  expect(told().slice(-2)).toEqual(["rollout.began", "rollout.failed"]);
});

test("a first release waits in words", async () => {
  await using scene = makeReleaseScene();
  const wanted = scene.releases.preview(labOf([lacking]));
  expect(wanted).toMatchObject({ services: [{ held: `has no release: ${reason}` }], notes: [] });
  scene.take(labOf([lacking]));
  expect(scene.wantedOf("dev/api")).toMatchObject({ release: undefined, held: `has no release: ${reason}` });
});

test("once it has its secrets it begins by itself, and nobody else does", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve, wantedOf } = scene;
  const other = resolvedOf("dev/other");
  take(labOf([lacking, other]));
  await serve("dev/other");
  const half = { ...lacking, missing: ["KEY"] };
  const full = withVariable(api, "version 2");
  // Another one would get a newer value, too: that is for the next apply.
  const resolved = (one: typeof lacking) => [one, withVariable(other, "version 2")];
  expect(releases.supply("KEY", resolved(lacking), origin)).toEqual([]);
  expect(releases.supply("DB", resolved(half), origin)).toEqual(["dev/api"]);
  expect(releases.rollouts(place, 1)[0]?.reason).toContain("the secret KEY has no value in dev");
  expect(releases.supply("KEY", [full, withVariable(other, "version 2")], origin)).toEqual(["dev/api"]);
  expect(wantedOf("dev/api")).toMatchObject({ spec: full.spec, release: { number: 1 } });
  expect(wantedOf("dev/other")?.spec).toBe(other.spec);
  await serve("dev/api");
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done" }]);
  // The apply that people run next finds nothing to do.
  take(labOf([full, other]));
  releases.retry(origin);
  expect(releases.open()).toEqual([]);
});

test("while a release is made to serve, the one before is named to stand by; not for a first one, nor once it is done", async () => {
  await using scene = makeReleaseScene();
  const { take, serve, fail, wantedOf } = scene;
  const watched = resolvedOf("dev/api", { settleMs: 10_000 });
  take(labOf([watched]));
  expect(wantedOf("dev/api")?.fallback).toBeUndefined();
  await serve("dev/api");
  take(labOf([withVariable(watched, "b")]));
  expect(wantedOf("dev/api")?.fallback).toEqual({ spec: watched.spec, settleMs: 10_000 });
  await serve("dev/api");
  expect(wantedOf("dev/api")?.fallback).toBeUndefined();
  take(labOf([withVariable(watched, "c")]));
  fail("dev/api");
  expect(wantedOf("dev/api")?.fallback).toBeUndefined();
});
