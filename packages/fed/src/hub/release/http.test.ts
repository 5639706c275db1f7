import { expect, test } from "vitest";
import type { CallContext } from "#wire/handler.ts";
import {
  releaseDetailShape,
  releaseDiffShape,
  rolloutItemShape,
  rolloutShape,
  type WireRolloutItem,
} from "#wire/release.ts";
import { releaseHandlers } from "./http.ts";
import { imageOf, labOf, makeReleaseScene, resolvedOf, withVariable } from "./release.scene.ts";

const place = { environment: "dev", service: "shop" };
const reference = "registry.example:5000/shop:1";
const shop = resolvedOf("dev/shop", { workload: imageOf(reference) });

const contextOf = (signal = new AbortController().signal) =>
  ({ actor: "user:ada", correlation: "cor_7", signal }) as unknown as CallContext;

async function all<T>(items: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of await items) found.push(item);
  return found;
}

test("who follows a rollout hears of its steps and lines from the first on, until it has ended", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, clock, take, serve } = scene;
  const handlers = releaseHandlers({ releases });
  registry.publish(reference);
  take(labOf([shop]));
  releases.begin();
  await clock.turn(0);
  const { rollouts } = await handlers.rollouts({ open: true, limit: 5 }, contextOf());
  expect(rollouts).toMatchObject([{ cause: "apply", state: "rolling", release: { number: 1 } }]);
  const id = rollouts[0]?.id ?? "";
  const following = all(handlers.followRollout({ id }, contextOf()));
  await clock.turn(0);
  releases.progress({
    ...{ kind: "succeeded", tookMs: 12.4 },
    step: { id: "s", action: { kind: "start", service: "dev/shop", spec: "x", replica: 0 }, reason: "", after: [] },
  });
  const waits = "waits for dev/db, which is not healthy";
  releases.progress({ kind: "planned", steps: 1, notes: ["dev/other waits", `dev/shop ${waits}`] });
  await clock.turn(0);
  expect(await handlers.rollout({ id }, contextOf())).toMatchObject({ waits });
  releases.progress({ kind: "settled", unfinished: [] });
  expect(await handlers.rollout({ id }, contextOf())).not.toHaveProperty("waits");
  await serve("dev/shop");
  const items = (await following).map((item) => rolloutItemShape.parse(item));
  expect(items[0]).toMatchObject({ kind: "rollout", rollout: { state: "rolling", steps: [{ state: "done" }] } });
  expect(items.filter(({ kind }) => kind === "line")).toEqual([{ kind: "line", text: `pulled ${reference}` }]);
  expect(items.at(-1)).toMatchObject({
    kind: "rollout",
    rollout: {
      ...{ state: "done", by: "file", correlation: "cor_file" },
      steps: [{ text: `pull ${reference} on hub` }, { text: "start replica 0", state: "done", tookMs: 12 }],
    },
  });
  // One that has ended is told at once.
  expect((await all(handlers.followRollout({ id }, contextOf()))).map(({ kind }) => kind)).toEqual(["rollout", "line"]);
});

test("a follower who goes away is let go, and what is not there is refused at once", async () => {
  await using scene = makeReleaseScene();
  const { releases, take } = scene;
  const handlers = releaseHandlers({ releases });
  take(labOf([shop]));
  const [open] = releases.open();
  const gone = new AbortController();
  const items: WireRolloutItem[] = [];
  for await (const item of await handlers.followRollout({ id: open?.id ?? "" }, contextOf(gone.signal))) {
    items.push(item);
    gone.abort();
  }
  expect(items).toHaveLength(1);
  expect(() => handlers.followRollout({ id: "rol_none" }, contextOf())).toThrow("there is no rollout rol_none");
  expect(() => handlers.release({ ...place, number: 3 }, contextOf())).toThrow("dev/shop has no release 3");
});

test("releases, one of them and what changed between two, as the outside sees them", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, clock, take, serve } = scene;
  const handlers = releaseHandlers({ releases });
  const image = registry.publish(reference);
  releases.begin();
  take(labOf([shop]));
  await clock.turn(0);
  await serve("dev/shop");
  take(labOf([withVariable(shop, "b")]));
  await clock.turn(0);

  const found = await handlers.releases(place, contextOf());
  expect(found.releases).toMatchObject([
    { number: 2, wanted: true, good: false },
    {
      number: 1,
      wanted: false,
      good: true,
      artifact: { kind: "image", id: image.id, reference, digest: image.digests[0] },
    },
  ]);
  // Whose it is to remove is the hub's own matter.
  expect(found.releases[0]?.artifact).not.toHaveProperty("ours");
  expect(found.rollouts).toMatchObject([{ before: { number: 1 }, release: { number: 2 } }, { state: "done" }]);
  for (const one of found.rollouts) rolloutShape.parse(one);
  releaseDetailShape.parse(await handlers.release({ ...place, number: 1 }, contextOf()));
  const diff = releaseDiffShape.parse(await handlers.releaseDiff({ ...place, from: 1, number: 2 }, contextOf()));
  expect(diff).toMatchObject({ from: { number: 1 }, to: { number: 2 }, changes: [{ field: "env.X", to: "b" }] });
});

test("deploy, rollback, promote and cancel are done by who calls", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, serve } = scene;
  const handlers = releaseHandlers({ releases });
  const web = { environment: "dev", service: "web" };
  take(labOf([resolvedOf("dev/web")]));
  await serve("dev/web");
  take(labOf([withVariable(resolvedOf("dev/web"), "b")]));
  await serve("dev/web");
  const by = { by: "user:ada", correlation: "cor_7" };
  expect(await handlers.deploy(web, contextOf())).toMatchObject({
    rollout: { ...by, cause: "deploy", state: "rolling" },
  });
  expect(await handlers.cancelRollout(web, contextOf())).toMatchObject({ rollout: { state: "cancelled" } });
  expect(await handlers.rollback({ ...web, to: 1 }, contextOf())).toMatchObject({
    rollout: { ...by, cause: "rollback", release: { number: 1 }, before: { number: 2 } },
  });
  expect(() => handlers.promote({ ...web, from: "none" }, contextOf())).toThrow("the lab has no service none/web");
});
