import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabDocument } from "@fed/lab";
import { expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import type { ResolvedService } from "#hub/service/service.ts";
import { makeFakeImages, makeFakeRegistry } from "#port/image.fake.ts";
import { imageOf, labOf, makeReleaseScene, origin, resolvedOf } from "./release.scene.ts";

const host = "registry.example:5000";
const login = { user: "ada", password: "hunter2" };
const registries: LabDocument["registries"] = { [host]: { auth: { user: "ada", password: { secret: "PULL" } } } };
const place = { environment: "prod", service: "shop" };
const going = () => AbortSignal.timeout(5_000);

function makeSource(dockerfile = "FROM scratch\nCOPY app /app\n") {
  const folder = mkdtempSync(join(tmpdir(), "fed-registry-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "app"), "one");
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  return { folder, write: (text: string) => writeFileSync(join(folder, "app"), text) };
}

/** A lab whose registry wants a login; the hub's machine and node5 both reach it. */
function makeScene(secrets: Readonly<Record<string, string>> = { PULL: login.password }) {
  const scene = makeReleaseScene({
    secrets: {
      async read(name) {
        const value = secrets[name];
        if (value === undefined) throw new Fault("missing", `the secret ${name} has no value`, { hint: "set it" });
        return value;
      },
    },
  });
  const registry = makeFakeRegistry(host, login);
  const [hub, node5] = [makeFakeImages({ registry }), makeFakeImages({ registry })];
  Object.assign(scene.images, { hub, node5 });
  const take = (services: readonly ResolvedService[], of = registries) => {
    const lab = labOf(services);
    scene.take({ ...lab, document: { ...lab.document, ...(of === undefined ? {} : { registries: of }) } });
  };
  const prepared = () => vi.waitFor(() => expect(scene.releases.preparing).toBe(false), 5_000);
  const steps = () => scene.releases.tracks.of(scene.releases.rollouts(undefined, 1)[0]?.id ?? "").steps;
  const ended = () => scene.releases.rollouts(undefined, 1)[0];
  scene.releases.begin();
  return {
    ...scene,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
    registry,
    hub,
    node5,
    take,
    prepared,
    steps,
    ended,
  };
}

const shop = resolvedOf("prod/shop", { workload: imageOf(`${host}/shop:1`) });
const built = (folder: string, said: Partial<ResolvedService> = {}) =>
  resolvedOf("prod/shop", {
    workload: { kind: "build", folder },
    machine: "node5",
    push: `${host}/team/shop`,
    ...said,
  });

test("an image is pulled as who the lab says that the hub is there", async () => {
  await using scene = makeScene();
  scene.registry.publish(`${host}/shop:1`);
  scene.take([shop]);
  await scene.prepared();
  expect(scene.wantedOf("prod/shop")?.release?.number).toBe(1);
});

test("a refused login says whose, and what gives another password; never the password", async () => {
  await using scene = makeScene({ PULL: "hunter2-old" });
  scene.registry.publish(`${host}/shop:1`);
  scene.take([shop]);
  await scene.prepared();
  const { state, reason = "", output } = scene.ended() ?? {};
  expect(state).toBe("failed");
  expect(reason).toContain(`${host} does not give it to ada`);
  expect(reason).toContain("`fed secret set PULL`");
  expect(`${reason}${output}`).not.toContain("hunter2");
});

test("whoever is refused with a login does not get what happens to be on the machine; with none he does", async () => {
  await using scene = makeScene({ PULL: "wrong" });
  const { folder } = makeSource();
  const own = await scene.hub.build({ folder, labels: {} }, () => undefined, going());
  await scene.hub.push(own.id, `${host}/shop:1`, login, () => undefined, going());
  scene.take([shop]);
  await scene.prepared();
  expect(scene.ended()).toMatchObject({ state: "failed" });
  scene.take([{ ...shop, wish: "another" }], {});
  await scene.prepared();
  expect(scene.wantedOf("prod/shop")?.release?.image).toBe(own.id);
});

test("nobody is told how to become somebody, and a password without a value which one", async () => {
  await using scene = makeScene({});
  scene.registry.publish(`${host}/shop:1`);
  scene.take([shop], {});
  await scene.prepared();
  expect(scene.ended()?.reason).toContain(`registries: { "${host}": { auth: {`);
  scene.take([{ ...shop, wish: "another" }]);
  await scene.prepared();
  expect(scene.ended()?.reason).toBe(`fed cannot log in to ${host}: the secret PULL has no value. set it`);
});

test("a build begins with images of registries, and does not mind one that it does not need", async () => {
  await using scene = makeScene();
  scene.registry.publish(`${host}/base:1`);
  const { folder } = makeSource(`FROM ${host}/base:1\nCOPY app /app\n`);
  const of = { ...registries, "ghcr.io": { auth: { user: "ada", password: { secret: "NONE" } } } };
  scene.take([built(folder, { push: undefined, machine: "hub" })], of);
  await scene.prepared();
  expect(scene.wantedOf("prod/shop")?.release?.number).toBe(1);
  expect(scene.releases.tracks.of(scene.ended()?.id ?? "").lines).toContain(
    "fed cannot log in to ghcr.io: the secret NONE has no value: set it",
  );
});

test("a build that fails says whose password may be wrong, or has no value", async () => {
  await using scene = makeScene({});
  scene.registry.publish(`${host}/base:1`);
  const { folder } = makeSource(`FROM ${host}/base:1\nCOPY app /app\n`);
  scene.take([built(folder, { push: undefined, machine: "hub" })]);
  await scene.prepared();
  expect(scene.ended()).toMatchObject({
    ...{
      state: "failed",
      reason: expect.stringMatching(/^the build failed: .*let us have.*fed is ada to .*`fed secret set PULL` gives/),
    },
  });
});

test("what is built is pushed under a tag of its own, its digest is in the release, and others pull it", async () => {
  await using scene = makeScene();
  const { folder } = makeSource();
  scene.take([built(folder)]);
  await scene.prepared();
  const wanted = scene.wantedOf("prod/shop")?.release;
  const tag = `${host}/team/shop:${wanted?.image?.slice(7, 23)}`;
  expect([...scene.registry.images.keys()]).toEqual([tag]);
  expect(wanted?.digest).toMatch(/^registry\.example:5000\/team\/shop@sha256:/);
  expect(scene.steps().map(({ text }) => text)).toEqual([
    `build ${folder} on hub`,
    `push ${tag} from hub`,
    `pull ${wanted?.digest} on node5`,
  ]);
  expect(scene.node5.loadedBytes()).toBe(0);
  expect(await scene.node5.find(wanted?.image ?? "", going())).toBeDefined();
});

test("a machine that does not get it from the registry has it carried", async () => {
  await using scene = makeScene();
  const { folder } = makeSource();
  scene.images.node5 = makeFakeImages();
  scene.take([built(folder)]);
  await scene.prepared();
  const wanted = scene.wantedOf("prod/shop")?.release;
  expect(await scene.images.node5.find(wanted?.image ?? "", going())).toBeDefined();
  expect(scene.steps().at(-1)).toMatchObject({ text: "carry the image from hub to node5", state: "done" });
  expect(scene.releases.tracks.of(scene.ended()?.id ?? "").lines.join("\n")).toMatch(/it is carried there instead/);
});

test("a push that is refused fails the rollout in words, and leaves no image", async () => {
  await using scene = makeScene({ PULL: "wrong" });
  const { folder } = makeSource();
  scene.take([built(folder)]);
  await scene.prepared();
  expect(scene.ended()).toMatchObject({ state: "failed", reason: expect.stringContaining("does not give it to ada") });
  await vi.waitFor(async () => expect(await scene.hub.list({}, going())).toEqual([]));
});

test("another repository is pushed to without building again; an earlier release stays what it was", async () => {
  await using scene = makeScene();
  const { folder, write } = makeSource();
  scene.take([built(folder)]);
  await scene.prepared();
  await scene.serve("prod/shop");
  scene.take([built(folder, { push: `${host}/other/shop`, wish: "another" })]);
  await scene.prepared();
  await scene.serve("prod/shop");
  expect(scene.hub.built).toHaveLength(1);
  expect(scene.wantedOf("prod/shop")?.release).toMatchObject({
    number: 2,
    digest: expect.stringContaining("/other/shop@"),
  });
  write("two");
  scene.releases.deploy(place, origin);
  await scene.prepared();
  await scene.serve("prod/shop");
  const before = scene.registry.images.size;
  scene.releases.rollback(place, 1, origin);
  await scene.prepared();
  expect(scene.wantedOf("prod/shop")?.release).toMatchObject({
    number: 1,
    digest: expect.stringContaining("/team/shop@"),
  });
  expect(scene.registry.images.size).toBe(before);
});
