import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import { makeFakeImages } from "#port/image.fake.ts";
import { prepareDeadlineMs } from "./loop.ts";
import { file, imageOf, labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";

const reference = "registry.example:5000/shop:1";
const shop = resolvedOf("dev/shop", { workload: imageOf(reference) });
const place = { environment: "dev", service: "shop" };

/** A folder with a Dockerfile of one file. */
function makeSource(content: string): { readonly folder: string; write(text: string): void } {
  const folder = mkdtempSync(join(tmpdir(), "fed-release-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (text: string) => writeFileSync(join(folder, "app"), text);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY app /app\n");
  write(content);
  return { folder, write };
}

const built = (key: string, folder: string, said: Partial<ResolvedService> = {}) =>
  resolvedOf(key, { workload: { kind: "build", folder }, ...said });

test("an image is pulled before anything that runs is touched; the release names it by id and digest", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, take, wantedOf, serve } = scene;
  const image = registry.publish(reference);
  releases.begin();
  take(labOf([shop]));
  expect(wantedOf("dev/shop")).toMatchObject({ release: undefined, held: "waits for its image" });
  await vi.waitFor(() => expect(releases.preparing).toBe(false));

  expect(wantedOf("dev/shop")).toMatchObject({
    workload: { kind: "image", reference: image.id },
    release: { number: 1, image: image.id, digest: image.digests[0] },
    fields: { ...shop.fields, image: image.id },
  });
  await serve("dev/shop");
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "done" }]);
  expect(releases.tracks.of(releases.rollouts(place, 1)[0]?.id ?? "")).toMatchObject({
    steps: [{ text: `pull ${reference} on hub`, state: "done" }],
    lines: [`pulled ${reference}`],
  });
});

test("another word of the lab keeps the image; a deploy looks what the reference means now", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, images, take, wantedOf, serve } = scene;
  const first = registry.publish(reference);
  releases.begin();
  take(labOf([shop]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  await serve("dev/shop");
  const second = registry.publish(reference, { version: "2" });
  take(labOf([withVariable(shop, "b")]));
  await vi.waitFor(() => expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 2, image: first.id } }));
  expect(images.hub?.pulled).toHaveLength(1);
  await serve("dev/shop");

  releases.deploy(place, origin);
  await vi.waitFor(() => expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 3, image: second.id } }));
  await serve("dev/shop");
  releases.deploy(place, origin);
  await vi.waitFor(() => expect(releases.open()).toEqual([]));
  expect(releases.rollouts(place, 1)).toMatchObject([
    { state: "done", reason: "release 3 is the same and serves already" },
  ]);
  // The image of release 1 is on the machine still.
  releases.rollback(place, 1, origin);
  await vi.waitFor(() => expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 1, image: first.id } }));
});

test("an image that cannot be had fails its rollout, and what served before goes on", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, take, wantedOf, serve } = scene;
  registry.publish(reference);
  releases.begin();
  take(labOf([shop]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  await serve("dev/shop");
  take(labOf([resolvedOf("dev/shop", { workload: imageOf("registry.example:5000/shop:no") })]));
  await vi.waitFor(() => expect(releases.open()).toEqual([]));
  expect(releases.rollouts(place, 1)).toMatchObject([
    { state: "failed", release: undefined, reason: "the registry has no registry.example:5000/shop:no" },
  ]);
  expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 1 } });
});

test("an image that somebody made on the machine is taken when no registry has it", async () => {
  await using scene = makeReleaseScene();
  const { releases, images, take, wantedOf } = scene;
  const { folder } = makeSource("by hand");
  const image = await images.hub?.build({ folder, labels: {} }, () => undefined, AbortSignal.timeout(1_000));
  releases.begin();
  take(labOf([resolvedOf("dev/shop", { workload: imageOf(image?.id ?? "") })]));
  await vi.waitFor(async () => {
    await scene.clock.turn(10_000);
    expect(wantedOf("dev/shop")).toMatchObject({ release: { image: image?.id } });
  });
});

test("what cannot be reached is asked again a few times, then it fails", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, images, clock, take, wantedOf } = scene;
  registry.publish(reference);
  images.hub?.failNext(new Fault("unreachable", "no route to the registry"));
  releases.begin();
  take(labOf([shop]));
  await clock.turn(2_000);
  expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 1 } });

  await scene.serve("dev/shop");
  scene.away.add("hub");
  releases.deploy(place, origin);
  await clock.turn(30_000);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: "hub does not answer" }]);
});

test("what came to nothing while its machine was away begins when that is back, and nothing else does", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, clock, take, wantedOf } = scene;
  registry.publish(reference);
  const elsewhere = resolvedOf("dev/elsewhere", { machine: "node5", workload: imageOf("localhost/nobody:1") });
  releases.begin();
  take(labOf([shop]));
  await clock.turn(0);
  await scene.serve("dev/shop");

  scene.away.add("hub");
  take(labOf([withVariable(shop, "b"), resolvedOf("dev/new", { workload: imageOf(reference) }), elsewhere]));
  await clock.turn(30_000);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: "hub does not answer" }]);
  expect(wantedOf("dev/new")).toMatchObject({ release: undefined, held: expect.stringContaining("does not answer") });

  scene.away.delete("hub");
  const tries = releases.rollouts({ environment: "dev", service: "elsewhere" }, 9).length;
  releases.arrived("hub");
  await clock.turn(30_000);
  expect(wantedOf("dev/shop")).toMatchObject({ spec: expect.not.stringMatching(shop.spec), release: { number: 2 } });
  expect(wantedOf("dev/new")).toMatchObject({ release: { number: 1 } });
  expect(releases.rollouts({ environment: "dev", service: "elsewhere" }, 9)).toHaveLength(tries);
  releases.arrived("hub");
  expect(releases.open().map(({ service }) => service)).toEqual(["new", "shop"].sort());
});

test("a machine that does not reach the registry gets the image by way of the hub's", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, images, take, wantedOf } = scene;
  const image = registry.publish(reference);
  images.node5 = makeFakeImages();
  releases.begin();
  take(labOf([resolvedOf("prod/shop", { machine: "node5", workload: imageOf(reference) })]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  expect(wantedOf("prod/shop")).toMatchObject({ release: { image: image.id } });
  expect(await images.node5.find(image.id, AbortSignal.timeout(1_000))).toBeDefined();
  expect(releases.tracks.of(releases.open()[0]?.id ?? "").steps).toMatchObject([
    { text: `pull ${reference} on node5`, state: "failed" },
    { text: `pull ${reference} on hub`, state: "done" },
    { text: "carry the image from hub to node5", state: "done" },
  ]);
});

test("a build runs on the hub's machine, is labelled with its commit and carried to where it is to run", async () => {
  await using scene = makeReleaseScene();
  const { releases, images, take, wantedOf } = scene;
  const { folder } = makeSource("one");
  const api = built("prod/api", folder, { machine: "node5" });
  releases.begin();
  take(labOf([api]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  const wanted = wantedOf("prod/api");
  expect(wanted).toMatchObject({ release: { number: 1, commit: "c0ffee" } });
  expect(images.hub?.built).toMatchObject([
    { folder, labels: { "fed.lab": "ocean", "fed.service": "api", "fed.commit": "c0ffee" } },
  ]);
  const carried = await images.node5?.find(wanted?.release?.image ?? "", AbortSignal.timeout(1_000));
  expect(carried).toBeDefined();
  expect(releases.tracks.of(releases.rollouts(undefined, 1)[0]?.id ?? "").steps).toMatchObject([
    { text: `build ${folder} on hub`, state: "done" },
    { text: "carry the image from hub to node5", state: "done" },
  ]);
});

test("a build that fails shows the last it said; where the hub's machine has no engine it runs on the other", async () => {
  await using scene = makeReleaseScene();
  const { releases, images, take } = scene;
  const { folder } = makeSource("one");
  delete images.hub;
  releases.begin();
  take(labOf([built("prod/api", folder, { machine: "node5" })]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  expect(images.node5?.built).toHaveLength(1);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nRUN nothing\n");
  await scene.serve("prod/api");
  releases.deploy({ environment: "prod", service: "api" }, origin);
  await vi.waitFor(() => expect(releases.open()).toEqual([]));
  expect(releases.rollouts(undefined, 1)).toMatchObject([
    { state: "failed", reason: "the build failed: RUN nothing", output: "FROM scratch\nRUN nothing" },
  ]);
});

test("preparing has a deadline, and a cancel ends it at once", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, images, clock, take, wantedOf } = scene;
  registry.publish(reference);
  images.hub?.holdNext(new Promise(() => undefined));
  releases.begin();
  take(labOf([shop]));
  await clock.turn(prepareDeadlineMs);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "failed", reason: /took longer/ }]);
  images.hub?.holdNext(new Promise(() => undefined));
  releases.deploy(place, origin);
  await clock.turn(0);
  releases.cancel(place, origin);
  await clock.turn(0);
  expect(releases.rollouts(place, 1)).toMatchObject([{ state: "cancelled" }]);
  expect(wantedOf("dev/shop")?.held).toBe("has no release: its rollout was cancelled");
  releases.deploy(place, origin);
  await vi.waitFor(() => expect(wantedOf("dev/shop")).toMatchObject({ release: { number: 1 } }));
});

test("a hub that ends while it prepares leaves the rollout to the next one", async () => {
  await using scene = makeReleaseScene();
  const { releases, registry, images, clock, take, open } = scene;
  registry.publish(reference);
  images.hub?.holdNext(new Promise(() => undefined));
  releases.begin();
  take(labOf([shop]));
  await clock.turn(0);
  await releases.close();
  expect(releases.open()).toMatchObject([{ state: "preparing" }]);
  const next = open();
  take(labOf([shop]), file, next);
  next.begin();
  await vi.waitFor(() => expect(next.open()).toMatchObject([{ state: "rolling", by: "file" }]));
  await next.close();
});

const chain = { staging: { machines: ["hub"] }, prod: { machines: ["node5"], promoteFrom: "staging" } };

test("an environment that promotes takes the image of the other: at first when there is one, then by a deploy alone", async () => {
  await using scene = makeReleaseScene();
  const { releases, take, wantedOf, serve } = scene;
  const source = makeSource("one");
  const staging = built("staging/api", source.folder);
  const prod = built("prod/api", source.folder, { machine: "node5" });
  const inProd = { environment: "prod", service: "api" };
  releases.begin();
  take(labOf([staging], chain));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  await serve("staging/api");
  const first = wantedOf("staging/api")?.release?.image;
  source.write("two");
  take(labOf([staging, prod], chain));
  await vi.waitFor(() => expect(wantedOf("prod/api")?.release?.image).toBe(first));
  expect(releases.rollouts(inProd, 1)).toMatchObject([{ request: { promotedFrom: "staging" } }]);
  await serve("prod/api");

  releases.deploy({ environment: "staging", service: "api" }, origin);
  await vi.waitFor(() => expect(wantedOf("staging/api")?.release?.number).toBe(2));
  const second = wantedOf("staging/api")?.release?.image;
  expect(second).not.toBe(first);
  // What has not served yet is not promoted.
  releases.deploy(inProd, origin);
  await vi.waitFor(() => expect(releases.rollouts(inProd, 1)).toMatchObject([{ state: "done", reason: /the same/ }]));
  await serve("staging/api");
  releases.deploy(inProd, origin);
  await vi.waitFor(() => expect(wantedOf("prod/api")?.release?.image).toBe(second));
  await serve("prod/api");
  take(labOf([staging, withVariable(prod, "b")], chain));
  await vi.waitFor(() => expect(wantedOf("prod/api")?.release).toMatchObject({ number: 3, image: second }));
});

test("a promotion without anything to promote, of a process, or against a gate is refused", async () => {
  await using scene = makeReleaseScene({
    gateOf: ({ to }) => (to === "prod" ? { kind: "closed", why: "ada has not approved it" } : { kind: "open" }),
  });
  const { releases, registry, take, serve } = scene;
  registry.publish(reference);
  const staging = resolvedOf("staging/shop", { workload: imageOf(reference) });
  const prod = resolvedOf("prod/shop", { workload: imageOf(reference) });
  const web = ["staging/web", "prod/web"].map((key) => resolvedOf(key));
  take(labOf([staging, prod, shop, ...web], chain));
  const to = (environment: string, service = "shop") => ({ environment, service });
  releases.cancel(to("prod"), origin);
  expect(() => releases.promote(to("prod"), undefined, origin)).toThrow("staging/shop has no release that has served");
  expect(() => releases.promote(to("prod", "web"), undefined, origin)).toThrow("prod/web is a process");
  expect(() => releases.promote(to("dev"), undefined, origin)).toThrow("dev promotes from no other");
  expect(() => releases.promote(to("dev"), "dev", origin)).toThrow("dev cannot be promoted to itself");
  expect(() => releases.promote(to("prod"), "none", origin)).toThrow("the lab has no service none/shop");
  releases.begin();
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  await serve("staging/shop");
  expect(() => releases.promote(to("prod"), undefined, origin)).toThrow(
    /promoted to prod yet: ada has not approved it/,
  );
});

test("what is too old to go back to goes, with its image where that is fed's, and never what runs", async () => {
  await using scene = makeReleaseScene();
  const { releases, images, running, take, wantedOf, serve, told } = scene;
  const source = makeSource("0");
  releases.begin();
  take(labOf([built("dev/api", source.folder)]));
  await vi.waitFor(() => expect(releases.preparing).toBe(false));
  await serve("dev/api");
  const api = { environment: "dev", service: "api" };
  const made = [wantedOf("dev/api")?.release];
  running.add(made[0]?.id ?? "");
  for (let round = 1; round <= 6; round++) {
    source.write(String(round));
    releases.deploy(api, origin);
    await vi.waitFor(() => expect(releases.preparing).toBe(false));
    await serve("dev/api");
    made.push(wantedOf("dev/api")?.release);
  }
  await vi.waitFor(() => expect(releases.releases(api).map(({ number }) => number)).toEqual([7, 6, 5, 4, 3, 1]));
  expect(told().filter((type) => type === "release.pruned")).toHaveLength(1);
  const there = async (image: string | undefined) =>
    (await images.hub?.find(image ?? "", AbortSignal.timeout(1_000))) !== undefined;
  expect(await Promise.all(made.map((one) => there(one?.image)))).toEqual([true, false, true, true, true, true, true]);
});

test("versions of secrets that a release names are needed; the others may be forgotten", async () => {
  const asked: ((name: string, version: number) => boolean)[] = [];
  await using scene = makeReleaseScene({ secrets: { forget: (_tx, isNeeded) => void asked.push(isNeeded) } });
  const variables = { DB: { kind: "secret", name: "SHOP_DB", version: 3 } } as const;
  scene.take(labOf([resolvedOf("dev/api", { variables })]));
  scene.releases.begin();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  const [isNeeded] = asked;
  expect([isNeeded?.("SHOP_DB", 3), isNeeded?.("SHOP_DB", 2), isNeeded?.("OTHER", 3)]).toEqual([true, false, false]);
});
