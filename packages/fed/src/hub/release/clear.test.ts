import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeFakeImages } from "#port/image.fake.ts";
import { imageOf, labOf, makeReleaseScene, origin, resolvedOf } from "./release.scene.ts";

const place = { environment: "dev", service: "api" };
const going = () => AbortSignal.timeout(5_000);

function makeSource() {
  const folder = mkdtempSync(join(tmpdir(), "fed-clear-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (text: string) => writeFileSync(join(folder, "app"), text);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY app /app\n");
  write("one");
  return { folder, write };
}

function makeScene() {
  const scene = makeReleaseScene();
  const { folder, write } = makeSource();
  const ids = async (machine: string) => (await scene.images[machine]?.list({}, going()))?.map(({ id }) => id);
  const prepared = () => vi.waitFor(() => expect(scene.releases.preparing).toBe(false), 5_000);
  scene.releases.begin();
  return { ...scene, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](), folder, write, ids, prepared };
}

const built = (folder: string, machine = "hub") =>
  resolvedOf("dev/api", { workload: { kind: "build", folder }, machine });

test("an image that was built for nothing goes: its machine did not take it", async () => {
  await using scene = makeScene();
  scene.images.node5?.failNext(new Fault("invalid", "the disk is odd"));
  scene.take(labOf([built(scene.folder, "node5")]));
  await scene.prepared();
  expect(scene.releases.rollouts(place, 1)).toMatchObject([{ state: "failed" }]);
  expect(scene.images.hub?.built).toHaveLength(1);
  await vi.waitFor(async () => expect(await scene.ids("hub")).toEqual([]));
});

test("an image whose rollout was cancelled while it was carried goes, where it was built and where it arrived", async () => {
  await using scene = makeScene();
  scene.images.node5?.holdNext(new Promise(() => undefined));
  scene.take(labOf([built(scene.folder, "node5")]));
  await vi.waitFor(async () => expect(await scene.ids("hub")).toHaveLength(1));
  scene.releases.cancel(place, origin);
  await vi.waitFor(async () => expect([await scene.ids("hub"), await scene.ids("node5")]).toEqual([[], []]));
});

test("what a machine that is away keeps goes once it is back and something has ended again", async () => {
  await using scene = makeScene();
  const { take, releases, away } = scene;
  scene.images.node5?.holdNext(new Promise(() => undefined));
  take(labOf([built(scene.folder, "node5")]));
  await vi.waitFor(async () => expect(await scene.ids("hub")).toHaveLength(1));
  away.add("hub");
  releases.cancel(place, origin);
  await scene.clock.turn(0);
  expect(await scene.ids("hub")).toHaveLength(1);
  away.delete("hub");
  scene.images.node5?.failNext(new Fault("invalid", "the disk is odd still"));
  scene.write("two");
  releases.deploy(place, origin);
  await scene.prepared();
  await vi.waitFor(async () => expect(await scene.ids("hub")).toEqual([]));
});

test("what people have given a name, what an instance is of and what was there before fed stays", async () => {
  await using scene = makeScene();
  const { hub } = scene.images;
  const before = scene.registry.publish("registry.example:5000/before:1");
  await hub?.pull("registry.example:5000/before:1", undefined, () => undefined, going());
  const named = scene.registry.publish("registry.example:5000/named:1");
  const used = scene.registry.publish("registry.example:5000/used:1");
  const plain = scene.registry.publish("registry.example:5000/plain:1");
  hub?.used.add(used.id);
  for (const name of ["before", "named", "used", "plain"]) {
    scene.take(labOf([resolvedOf("dev/api", { workload: imageOf(`registry.example:5000/${name}:1`) })]));
    await scene.prepared();
    await scene.serve("dev/api");
  }
  // Somebody pushes it elsewhere under a name of theirs.
  await hub?.push(named.id, "registry.example:5000/mine:1", undefined, () => undefined, going());
  scene.take(labOf([]));
  for (let round = 0; round < 12; round++) {
    scene.registry.publish(`registry.example:5000/other:${round}`);
    scene.take(labOf([resolvedOf("dev/api", { workload: imageOf(`registry.example:5000/other:${round}`) })]));
    await scene.prepared();
    await scene.serve("dev/api");
  }
  await vi.waitFor(async () => expect(await scene.ids("hub")).not.toContain(plain.id));
  expect(await scene.ids("hub")).toEqual(expect.arrayContaining([before.id, named.id, used.id]));
});

test("a hub that comes anew clears what the one before could not", async () => {
  await using scene = makeScene();
  scene.images.node5?.holdNext(new Promise(() => undefined));
  scene.take(labOf([built(scene.folder, "node5")]));
  await vi.waitFor(async () => expect(await scene.ids("hub")).toHaveLength(1));
  await scene.releases.close();
  const next = scene.open();
  onTestFinished(() => next.close());
  scene.images.node5 = makeFakeImages();
  scene.take(labOf([resolvedOf("dev/api")]), undefined, next);
  next.begin();
  await vi.waitFor(async () => expect(await scene.ids("hub")).toEqual([]));
});

test("what an engine makes of a build that was given up goes; what has a name, or is another lab's, stays", async () => {
  await using scene = makeScene();
  const { hub } = scene.images;
  const given = { "fed.lab": "ocean", "fed.service": "api" };
  scene.take(labOf([built(scene.folder)]));
  await scene.prepared();
  await scene.serve("dev/api");
  const left = hub?.abandon(given);
  const others = hub?.abandon({ "fed.lab": "pond" });
  const named = hub?.abandon({ ...given, more: "x" });
  await hub?.push(named?.id ?? "", "registry.example:5000/mine:1", undefined, () => undefined, going());
  scene.write("two");
  scene.releases.deploy(place, origin);
  await scene.prepared();
  await scene.serve("dev/api");
  await vi.waitFor(async () => expect(await scene.ids("hub")).not.toContain(left?.id));
  expect(await scene.ids("hub")).toEqual(expect.arrayContaining([others?.id, named?.id]));
  expect(await scene.ids("hub")).toHaveLength(4);
});
