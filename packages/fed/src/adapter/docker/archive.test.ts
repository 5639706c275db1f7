import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { indexWhatIsMissing, saveWithout } from "./archive.ts";
import { readContent, readTar } from "./tar-read.ts";
import { tarEnd, tarFile } from "./tar-write.ts";

const hex = (text: string) => createHash("sha256").update(text).digest("hex");
const contents = ["the base", "the middle", "the top"];
const layers = contents.map((text) => `sha256:${hex(text)}`);
const config = JSON.stringify({ rootfs: { type: "layers", diff_ids: layers } });

/** Files in the order of an engine's archive, and how it calls each layer. */
const layouts: Readonly<Record<string, (index: number) => string>> = {
  "Docker before 25": (index) => `${hex(`number ${index}`)}/layer.tar`,
  "Docker since 25": (index) => `blobs/sha256/${hex(contents[index] ?? "")}`,
  Podman: (index) => `${hex(contents[index] ?? "")}.tar`,
};

function makeArchive(nameOf: (index: number) => string): Buffer {
  const manifest = [
    { Config: `${hex(config)}.json`, RepoTags: null, Layers: contents.map((_, index) => nameOf(index)) },
  ];
  return Buffer.concat([
    ...contents.map((text, index) => tarFile(nameOf(index), Buffer.from(text))),
    tarFile(`${hex(config)}.json`, Buffer.from(config)),
    tarFile("manifest.json", Buffer.from(JSON.stringify(manifest))),
    tarEnd,
  ]);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

async function read(archive: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const part of readTar(archive)) files.set(part.name, (await readContent(part, 10_000)).toString());
  return files;
}

describe.each(Object.entries(layouts))("the archive of %s", (engine, nameOf) => {
  const archive = makeArchive(nameOf);

  it("is left without the layers that are named, and nothing else", async () => {
    for (const left of [[0], [0, 1], [1], []]) {
      let saves = 0;
      const save = async () => {
        saves++;
        return once(archive);
      };
      const without = new Set(left.map((index) => layers[index] ?? ""));
      const files = await read(saveWithout(save, layers, without));
      const expected = new Map(await read(once(archive)));
      for (const index of left) expected.delete(nameOf(index));
      expect(files).toEqual(expected);
      // Only where names say nothing it is read twice.
      expect(saves).toBe(engine === "Docker before 25" ? 2 : 1);
    }
  });

  it("gets an index for Podman when it lacks a layer, and only then", async () => {
    expect(await buffer(indexWhatIsMissing(once(archive)))).toEqual(archive);
    const partial = await buffer(saveWithout(async () => once(archive), layers, new Set(layers.slice(0, 2))));
    const files = await read(indexWhatIsMissing(once(partial)));
    const index = JSON.parse(files.get("index.json") ?? "");
    const manifestFile = `blobs/sha256/${index.manifests[0].digest.slice(7)}`;
    const text = files.get(manifestFile) ?? "";
    expect(`sha256:${hex(text)}`).toBe(index.manifests[0].digest);
    const manifest = JSON.parse(text);
    expect(manifest.config).toMatchObject({ digest: `sha256:${hex(config)}`, size: config.length });
    expect(manifest.layers.map(({ digest }: { digest: string }) => digest)).toEqual(layers);
    expect(files.get(`blobs/sha256/${hex(config)}`)).toBe(config);
    expect([...files.keys()]).toContain(`blobs/sha256/${hex(contents[2] ?? "")}`);
    expect([...files.keys()]).not.toContain(`blobs/sha256/${hex(contents[0] ?? "")}`);
  });
});

it("is refused when it does not say which file is which layer", async () => {
  const nameless = Buffer.concat([tarFile(`${hex("1")}/layer.tar`, Buffer.from("x")), tarEnd]);
  const wrong = Buffer.concat([nameless.subarray(0, 1024), tarFile("manifest.json", Buffer.from("[{}]")), tarEnd]);
  for (const archive of [nameless, wrong]) {
    const save = async () => once(archive);
    await expect(buffer(saveWithout(save, layers, new Set(layers)))).rejects.toMatchObject({ code: "invalid" });
  }
});
