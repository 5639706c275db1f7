/** The contract of the port `image`: what holds for every engine that keeps images. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Image, ImageStore, RegistryLogin } from "./image.ts";

/** Two machines and a registry that both reach. Opened once for all tests: each test makes images nobody else has. */
export interface ImageScene {
  readonly store: ImageStore;
  /** Has nothing of what the first makes. */
  readonly other: ImageStore;
  /** It lets in whoever says this. */
  readonly registry: { readonly address: string; readonly login: RegistryLogin };
  /** Of a registry that is not there. */
  readonly absentRegistry: string;
  /** Makes an instance of an image in `store` that has ended; answers how to remove it. */
  hold(id: string): Promise<() => Promise<void>>;
  /** All that an instance of it in `other` finds in its files, one after the other. */
  unpack(id: string): Promise<string>;
  close(): Promise<void>;
}

interface Given {
  scene: ImageScene;
  store: ImageStore;
  other: ImageStore;
}

const going = () => new AbortController().signal;
const silent = () => {};

export function imageSuite(name: string, make: () => Promise<ImageScene>): void {
  describe(`images of ${name}`, () => {
    const given = prepare(make);
    describe("build", () => buildContract(given));
    describe("save and load", () => carryContract(given));
    describe("without layers that are there", () => partialContract(given));
    describe("registry", () => registryContract(given));
    describe("remove", () => removeContract(given));
  });
}

/** What two engines of different kinds must be able to do together. */
export function imageCarrySuite(name: string, make: () => Promise<ImageScene>): void {
  describe(`images carried from ${name}`, () => {
    const given = prepare(make);
    describe("save and load", () => carryContract(given));
    describe("without layers that are there", () => partialContract(given));
  });
}

function prepare(make: () => Promise<ImageScene>): Given {
  const given = {} as Given;
  beforeAll(async () => {
    given.scene = await make();
    Object.assign(given, { store: given.scene.store, other: given.scene.other });
  }, 120_000);
  afterAll(() => given.scene?.close(), 60_000);
  return given;
}

function buildContract(given: Given): void {
  it("makes an image with its labels and its layers, and says what it does", async () => {
    const { folder, labels } = makeSource({ base: "base", top: "top" });
    const lines: string[] = [];
    const beforeMs = Date.now();
    const image = await given.store.build({ folder, labels }, (line) => lines.push(line), going());
    expect(image).toMatchObject({ id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), digests: [], labels });
    expect(image.layers).toEqual([0, 1].map(() => expect.stringMatching(/^sha256:[0-9a-f]{64}$/)));
    expect(image.createdMs).toBeLessThanOrEqual(Math.max(Date.now(), beforeMs) + 1_000);
    expect(lines.join("\n")).toContain("COPY");
    expect(await given.store.find(image.id, going())).toEqual(image);
    expect(await given.store.list(labels, going())).toEqual([image]);
    expect((await given.store.list({}, going())).map(({ id }) => id)).toContain(image.id);
    expect(await given.store.list({ ...labels, more: "x" }, going())).toEqual([]);
  });

  it("finds nothing that is not there", async () => {
    expect(await given.store.find(`sha256:${"0".repeat(64)}`, going())).toBeUndefined();
    expect(await given.store.find(`absent-${randomUUID()}`, going())).toBeUndefined();
  });

  it("takes another Dockerfile", async () => {
    const { folder, labels } = makeSource({ base: "base" });
    writeFileSync(join(folder, "one.Dockerfile"), "FROM scratch\nCOPY base /one\n");
    rmSync(join(folder, "Dockerfile"));
    const image = await given.store.build({ folder, labels, dockerfile: "one.Dockerfile" }, silent, going());
    expect(image.layers).toHaveLength(1);
  });

  it("names what is not there", async () => {
    const { folder, labels } = makeSource({});
    const build = (more: object) => given.store.build({ folder, labels, ...more }, silent, going());
    await expect(build({ folder: join(folder, "absent") })).rejects.toMatchObject({ code: "missing" });
    await expect(build({ dockerfile: "absent" })).rejects.toMatchObject({ code: "missing" });
  });

  it.each(["NONSENSE 5", "COPY absent /absent"])("fails with the last that it said: %s", async (line) => {
    const { folder, labels } = makeSource({ base: "base" });
    writeFileSync(join(folder, "Dockerfile"), `FROM scratch\nCOPY base /base\n${line}\n`);
    const failed = given.store.build({ folder, labels }, silent, going());
    await expect(failed).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/NONSENSE|absent/i),
    });
    expect(await given.store.list(labels, going())).toEqual([]);
  });

  it("builds nothing once it is given up", async () => {
    const { folder, labels } = makeSource({ base: "base" });
    await expect(given.store.build({ folder, labels }, silent, AbortSignal.abort("enough"))).rejects.toBe("enough");
    expect(await given.store.list(labels, going())).toEqual([]);
  });
}

function carryContract(given: Given): void {
  it("moves an image to another machine, the same as it was", async () => {
    const image = await makeImage(given, { base: "base", top: "top" });
    const loaded = await given.other.load(given.store.save(image.id, {}, going()), image.id, going());
    expect(facts(loaded)).toEqual(facts(image));
    expect(await given.other.find(image.id, going())).toEqual(loaded);
    expect(await given.other.list(image.labels, going())).toEqual([loaded]);
    // What is there already is no reason to refuse it.
    expect(facts(await given.other.load(given.store.save(image.id, {}, going()), image.id, going()))).toEqual(
      facts(image),
    );
  });

  it("keeps the id that an image had, though this engine may call it something else", async () => {
    const image = await makeImage(given, { base: "base" });
    const id = `sha256:${randomBytes(32).toString("hex")}`;
    const loaded = await given.other.load(given.store.save(image.id, {}, going()), id, going());
    expect(facts(loaded)).toEqual({ ...facts(image), id });
    expect(await given.other.find(id, going())).toEqual(loaded);
    expect(await given.other.list(image.labels, going())).toEqual([loaded]);
    expect(facts(await given.store.load(given.other.save(id, {}, going()), image.id, going()))).toEqual(facts(image));
    await given.other.remove(id, going());
    expect(await given.other.find(id, going())).toBeUndefined();
    expect(await given.other.list(image.labels, going())).toEqual([]);
  });

  it("saves nothing that is not there", async () => {
    const save = () => buffer(given.store.save(`sha256:${"0".repeat(64)}`, {}, going()));
    await expect(save()).rejects.toMatchObject({ code: "missing" });
  });

  it("refuses what is no image", async () => {
    const garbage = async function* () {
      yield randomBytes(5_000);
    };
    await expect(given.other.load(garbage(), `sha256:${"1".repeat(64)}`, going())).rejects.toMatchObject({
      code: "invalid",
    });
  });

  it("tells why an archive broke off, and has nothing of it", async () => {
    const image = await makeImage(given, { base: "base" });
    const dead = new Error("the line is dead");
    const breaking = async function* () {
      for await (const chunk of given.store.save(image.id, {}, going())) {
        yield chunk.subarray(0, 100);
        throw dead;
      }
    };
    await expect(given.other.load(breaking(), image.id, going())).rejects.toBe(dead);
    expect(await given.other.find(image.id, going())).toBeUndefined();
  });

  it("loads nothing once it is given up", async () => {
    const image = await makeImage(given, { base: "base" });
    const controller = new AbortController();
    const archive = async function* () {
      for await (const chunk of given.store.save(image.id, {}, going())) {
        yield chunk.subarray(0, 100);
        controller.abort("enough");
        await new Promise(() => {});
      }
    };
    await expect(given.other.load(archive(), image.id, controller.signal)).rejects.toBe("enough");
    expect(await given.other.find(image.id, going())).toBeUndefined();
  });
}

function partialContract(given: Given): void {
  it("carries what is missing alone, where the engine takes it", async () => {
    const base = randomBytes(300_000).toString("hex");
    const [lower, image] = await makeTwo(given, base);
    await given.other.load(given.store.save(lower.id, {}, going()), lower.id, going());
    const without = await given.other.layersThere(image.layers, going());
    expect([[], lower.layers]).toContainEqual(without);
    const archive = await buffer(given.store.save(image.id, { without }, going()));
    expect(archive.length < base.length / 2).toBe(without.length > 0);
    expect(facts(await given.other.load(inPieces(archive), image.id, going()))).toEqual(facts(image));
    expect(await given.other.layersThere(image.layers, going())).toEqual(without.length > 0 ? image.layers : []);
    const files = await given.scene.unpack(image.id);
    expect(files).toContain(base);
    expect(files).toContain(`top of ${image.labels["fed.test"]}`);
    // All of it is there: it can go on from here.
    const onward = await buffer(given.other.save(image.id, {}, going()));
    expect(onward.includes(base)).toBe(true);
    const { address, login } = given.scene.registry;
    await given.other.push(image.id, `${address}/fed/onward-${randomUUID().slice(0, 8)}:1`, login, silent, going());
  });

  it("refuses an archive that lacks what is not there", async () => {
    const [lower, image] = await makeTwo(given, randomBytes(50).toString("hex"));
    expect(await given.other.layersThere(image.layers, going())).toEqual([]);
    const archive = given.store.save(image.id, { without: lower.layers }, going());
    await expect(given.other.load(archive, image.id, going())).rejects.toMatchObject({ code: "invalid" });
    expect(await given.other.find(image.id, going())).toBeUndefined();
  });

  it("leaves nothing out that the image does not have", async () => {
    const image = await makeImage(given, { base: "base" });
    const archive = given.store.save(image.id, { without: [`sha256:${"0".repeat(64)}`] }, going());
    expect(facts(await given.other.load(archive, image.id, going()))).toEqual(facts(image));
  });
}

function registryContract(given: Given): void {
  const reference = () => `${given.scene.registry.address}/fed/${randomUUID().slice(0, 8)}:v1`;

  it("takes an image and gives it to others, by tag and by digest", async () => {
    const { login } = given.scene.registry;
    const image = await makeImage(given, { base: "base" });
    const tag = reference();
    const lines: string[] = [];
    const digest = await given.store.push(image.id, tag, login, (line) => lines.push(line), going());
    expect(digest).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(digest.startsWith(tag.replace(/:v1$/, "@"))).toBe(true);
    expect(lines.length).toBeGreaterThan(0);
    const pulled = await given.other.pull(tag, login, (line) => lines.push(line), going());
    expect(facts(pulled)).toEqual(facts(image));
    expect(pulled.digests).toContain(digest);
    await given.other.remove(image.id, going());
    expect(facts(await given.other.pull(digest, login, silent, going()))).toEqual(facts(image));
    expect((await given.other.find(digest, going()))?.id).toBe(image.id);
  });

  it("gives what a tag means now", async () => {
    const { login } = given.scene.registry;
    const tag = reference();
    for (const base of ["old", "new"]) {
      const image = await makeImage(given, { base });
      await given.store.push(image.id, tag, login, silent, going());
      expect((await given.other.pull(tag, login, silent, going())).id).toBe(image.id);
    }
  });

  it("says why nothing can be had", async () => {
    const { login } = given.scene.registry;
    const pull = (from: string, as?: RegistryLogin) => given.other.pull(from, as, silent, going());
    await expect(pull(reference(), login)).rejects.toMatchObject({ code: "missing" });
    await expect(pull(reference())).rejects.toMatchObject({ code: "denied" });
    await expect(pull(reference(), { ...login, password: "wrong" })).rejects.toMatchObject({ code: "denied" });
    await expect(pull(`${given.scene.absentRegistry}/a:1`, login)).rejects.toMatchObject({ code: "unreachable" });
  });

  it("says why nothing can be pushed, and never the password", async () => {
    const { login } = given.scene.registry;
    const image = await makeImage(given, { base: "base" });
    const push = (id: string, to: string, as?: RegistryLogin) => given.store.push(id, to, as, silent, going());
    await expect(push(`sha256:${"0".repeat(64)}`, reference(), login)).rejects.toMatchObject({ code: "missing" });
    const refused = await push(image.id, reference(), { ...login, password: "open-sesame" }).catch((thrown) => thrown);
    expect(refused).toMatchObject({ code: "denied" });
    expect(JSON.stringify([refused, refused.message, String(refused.cause)])).not.toContain("open-sesame");
    await expect(push(image.id, `${given.scene.absentRegistry}/a:1`)).rejects.toMatchObject({ code: "unreachable" });
  });

  it("builds from an image that is given to those alone whom it knows", async () => {
    const { address, login } = given.scene.registry;
    const base = await makeImage(given, { base: "base" });
    const from = reference();
    await given.store.push(base.id, from, login, silent, going());
    const { folder, labels } = makeSource({ top: `top ${randomUUID()}` });
    writeFileSync(join(folder, "Dockerfile"), `FROM ${from}\nCOPY top /top\n`);
    const build = (logins?: Readonly<Record<string, RegistryLogin>>) =>
      given.other.build({ folder, labels, logins }, silent, going());
    await expect(build()).rejects.toMatchObject({ code: "invalid", details: { login: "refused" } });
    const refused = await build({ [address]: { ...login, password: "open-sesame" } }).catch((thrown) => thrown);
    expect(refused).toMatchObject({ code: "invalid", details: { login: "refused" } });
    expect(JSON.stringify([refused, refused.message, String(refused.cause)])).not.toContain("open-sesame");
    const image = await build({ "registry.elsewhere": { user: "a", password: "b" }, [address]: login });
    expect(image.layers.slice(0, -1)).toEqual(base.layers);
    expect(await given.scene.unpack(image.id)).toContain("top ");
  });

  it("pulls nothing once it is given up", async () => {
    const pulled = given.other.pull(reference(), given.scene.registry.login, silent, AbortSignal.abort("enough"));
    await expect(pulled).rejects.toBe("enough");
  });
}

function removeContract(given: Given): void {
  it("takes an image away, whatever names it has, and again", async () => {
    const { address, login } = given.scene.registry;
    const image = await makeImage(given, { base: "base" });
    for (const tag of ["a", "b"])
      await given.store.push(image.id, `${address}/fed/${randomUUID().slice(0, 8)}:${tag}`, login, silent, going());
    await given.store.remove(image.id, going());
    expect(await given.store.find(image.id, going())).toBeUndefined();
    await given.store.remove(image.id, going());
  });

  it("refuses while an instance is of it, though it has ended", async () => {
    const { address, login } = given.scene.registry;
    const { id } = await makeImage(given, { base: "base" });
    const tag = `${address}/fed/${randomUUID().slice(0, 8)}:held`;
    await given.store.push(id, tag, login, silent, going());
    const image = await given.store.find(id, going());
    const release = await given.scene.hold(id);
    await expect(given.store.remove(id, going())).rejects.toMatchObject({ code: "conflict" });
    // It has not even lost a name.
    expect(await given.store.find(id, going())).toEqual(image);
    expect(await given.store.find(tag, going())).toEqual(image);
    await release();
    await given.store.remove(id, going());
    expect(await given.store.find(id, going())).toBeUndefined();
  });
}

/** What is the same wherever an image is. */
function facts({ id, labels, layers }: Image) {
  return { id, labels, layers };
}

/** A folder whose image nobody else makes: a layer per file, in the order given. */
function makeSource(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "fed-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const copies = Object.keys(files).map((name) => `COPY ${name} /${name}\n`);
  writeFileSync(join(folder, "Dockerfile"), `FROM scratch\n${copies.join("")}`);
  return { folder, labels: { "fed.test": randomUUID() } };
}

async function makeImage(given: Given, files: Readonly<Record<string, string>>): Promise<Image> {
  const unique = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, `${text} ${randomUUID()}`]));
  return given.store.build(makeSource(unique), silent, going());
}

/** One image, and another that has a layer more. */
async function makeTwo(given: Given, base: string): Promise<readonly [Image, Image]> {
  const { folder, labels } = makeSource({ base });
  const lower = await given.store.build({ folder, labels }, silent, going());
  const mark = randomUUID();
  writeFileSync(join(folder, "top"), `top of ${mark}`);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY base /base\nCOPY top /top\n");
  const image = await given.store.build({ folder, labels: { "fed.test": mark } }, silent, going());
  expect(image.layers.slice(0, 1)).toEqual(lower.layers);
  return [lower, image];
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
