import { expect, test } from "vitest";
import type { ResolvedService } from "#hub/service/service.ts";
import { labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";

const place = { environment: "dev", service: "api" };
const [api, other] = [resolvedOf("dev/api"), resolvedOf("dev/other")];
const newest = withVariable(api, "version 2");

function makeScene(now: readonly ResolvedService[]) {
  const scene = makeReleaseScene({ resolve: () => now });
  scene.take(labOf([api, other]));
  return scene;
}

test("a deploy takes the values that secrets have now, of its service alone", async () => {
  await using scene = makeScene([newest, withVariable(other, "version 2")]);
  const { releases, serve, wantedOf, take } = scene;
  await serve("dev/api");
  await serve("dev/other");
  releases.deploy(place, origin);
  await scene.clock.turn(0);
  expect(wantedOf("dev/api")?.variables).toEqual(newest.variables);
  expect(wantedOf("dev/other")?.spec).toBe(other.spec);
  await serve("dev/api");
  // The apply that people run next has nothing to do for it.
  take(labOf([newest, other]));
  expect(releases.open()).toEqual([]);
});

test("a deploy that is refused leaves everything as it was", async () => {
  await using scene = makeScene([newest, other]);
  const { releases, wantedOf } = scene;
  expect(releases.open()).toHaveLength(2);
  expect(() => releases.promote(place, undefined, origin)).toThrow("promotes from no other");
  releases.retry(origin);
  expect(wantedOf("dev/api")?.spec).toBe(api.spec);
});

test("a rollback goes to the values of then", async () => {
  await using scene = makeScene([newest, other]);
  const { releases, serve, wantedOf } = scene;
  await serve("dev/api");
  releases.deploy(place, origin);
  await serve("dev/api");
  releases.rollback(place, undefined, origin);
  expect(wantedOf("dev/api")?.spec).toBe(api.spec);
});
