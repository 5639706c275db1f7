import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeFakeImages } from "#port/image.fake.ts";
import type { ImageStore } from "#port/image.ts";
import { carryImage } from "./carry.ts";

const going = () => new AbortController().signal;

function build(store: ImageStore, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "fed-carry-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const copies = Object.keys(files).map((name) => `COPY ${name} /${name}\n`);
  writeFileSync(join(folder, "Dockerfile"), `FROM scratch\n${copies.join("")}`);
  return store.build({ folder, labels: { "fed.lab": "ocean" } }, () => {}, going());
}

const base = "base ".repeat(20_000);

describe("an image is carried", () => {
  it("whole to a machine that has nothing of it, and once", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages()];
    const image = await build(from, { base, top: "one" });
    const lines: string[] = [];
    expect(await carryImage(from, to, image.id, (line) => lines.push(line), going())).toEqual(image);
    expect(lines).toEqual([expect.stringMatching(/^carried 0\.1 MB$/)]);
    const carriedBytes = to.loadedBytes();
    expect(await carryImage(from, to, image.id, () => {}, going())).toEqual(image);
    expect(to.loadedBytes()).toBe(carriedBytes);
  });

  it("without the layers that are there", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages()];
    for (const [index, top] of ["one", "two"].entries()) {
      const image = await build(from, { base, top });
      const lines: string[] = [];
      const before = to.loadedBytes();
      await carryImage(from, to, image.id, (line) => lines.push(line), going());
      expect(to.loadedBytes() - before > base.length).toBe(index === 0);
      if (index === 1) expect(lines[0]).toBe("1 of 2 layers are there already");
    }
  });

  it("whole to an engine that takes no less", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages({ partialLoad: false })];
    for (const top of ["one", "two"]) {
      const before = to.loadedBytes();
      await carryImage(from, to, (await build(from, { base, top })).id, () => {}, going());
      expect(to.loadedBytes() - before).toBeGreaterThan(base.length);
    }
  });

  it("once more with all of it when what was there has gone meanwhile", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages()];
    const first = await build(from, { base, top: "one" });
    await carryImage(from, to, first.id, () => {}, going());
    const second = await build(from, { base, top: "two" });
    const lines: string[] = [];
    const losing: ImageStore = {
      ...to,
      async layersThere(layers, signal) {
        const all = await to.layersThere(layers, signal);
        await to.remove(first.id, signal);
        return all;
      },
    };
    expect(await carryImage(from, losing, second.id, (line) => lines.push(line), going())).toEqual(second);
    expect(lines).toContain("not all of them, after all: once more with every layer");
  });

  it("not when the source has lost it, or the target refuses", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages()];
    await expect(carryImage(from, to, `sha256:${"0".repeat(64)}`, () => {}, going())).rejects.toMatchObject({
      code: "missing",
    });
    const image = await build(from, { base });
    to.failNext(new Fault("unreachable", "no space left on device"));
    await expect(carryImage(from, to, image.id, () => {}, going())).rejects.toThrow("no space left");
    to.holdNext(new Promise(() => {}));
    const controller = new AbortController();
    const carried = carryImage(from, to, image.id, () => {}, controller.signal);
    controller.abort("enough");
    await expect(carried).rejects.toBe("enough");
    expect(await to.list({}, going())).toEqual([]);
  });

  it("not as something else", async () => {
    const [from, to] = [makeFakeImages(), makeFakeImages()];
    const image = await build(from, { base });
    const losing: ImageStore = {
      ...to,
      load: async (archive, id, signal) => ({ ...(await to.load(archive, id, signal)), layers: [] }),
    };
    await expect(carryImage(from, losing, image.id, () => {}, going())).rejects.toMatchObject({ code: "conflict" });
  });
});
