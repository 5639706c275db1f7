/**
 * An image as `docker save` writes it: a tar with a `manifest.json` that names the file of each layer. Docker before 25 calls a layer
 * `<its own number>/layer.tar` and says which is which only at the end; newer ones and Podman call it by its digest.
 */
import { createHash } from "node:crypto";
import { Fault } from "#base/fault.ts";
import { isRecord } from "./json-lines.ts";
import { readContent, readTar, type TarPart } from "./tar-read.ts";
import { tarEnd, tarFile, tarHardLink, tarPadding } from "./tar-write.ts";

const smallFileBytes = 4 * 2 ** 20;
const mostEntries = 20_000;

/**
 * The archive without the content of some layers, given by digest. `save` may be asked twice: to learn the layers' names first.
 * `layers` are all of the image, from the bottom.
 */
export async function* saveWithout(
  save: () => Promise<AsyncIterable<Uint8Array>>,
  layers: readonly string[],
  without: ReadonlySet<string>,
): AsyncGenerator<Uint8Array> {
  let names: ReadonlySet<string> | undefined;
  for await (const part of readTar(await save())) {
    if (names === undefined && isLegacyLayer(part, layers)) names = await readNames(await save(), layers, without);
    if (names === undefined ? without.has(digestOf(part.name) ?? "") : names.has(part.name)) continue;
    yield part.head;
    yield* part.body();
  }
  yield tarEnd;
}

/** A layer whose name does not tell which. Podman has links of that name beside the layers, for readers of old. */
function isLegacyLayer(part: TarPart, layers: readonly string[]): boolean {
  const hex = /^([0-9a-f]{64})\/layer\.tar$/.exec(part.name)?.[1];
  return hex !== undefined && part.kind === "file" && !layers.includes(`sha256:${hex}`);
}

/** `sha256:…` of `<hex>.tar` and `blobs/sha256/<hex>`. */
function digestOf(name: string): string | undefined {
  const hex = /^(?:blobs\/sha256\/([0-9a-f]{64})|([0-9a-f]{64})\.tar)$/.exec(name);
  return hex ? `sha256:${hex[1] ?? hex[2]}` : undefined;
}

/** The names of those layers' files, as the archive's manifest has them. */
async function readNames(
  archive: AsyncIterable<Uint8Array>,
  layers: readonly string[],
  without: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  for await (const part of readTar(archive)) {
    if (part.name !== "manifest.json") continue;
    const manifest = readManifest(await readContent(part, smallFileBytes));
    if (manifest?.layers.length !== layers.length) break;
    return new Set(manifest.layers.filter((_, index) => without.has(layers[index] ?? "")));
  }
  throw new Fault("invalid", "the image's archive does not say which file is which layer");
}

/**
 * For Podman, which takes no archive of Docker's that lacks a layer, but one of the Open Container Initiative's, where it looks only for
 * what it does not have: such an archive's index is put behind a Docker archive that lacks layers. Everything else stays as it is.
 */
export async function* indexWhatIsMissing(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const sizes = new Map<string, number>();
  const small = new Map<string, Buffer>();
  for await (const part of readTar(archive)) {
    if (part.kind === "file") sizes.set(part.name, part.sizeBytes);
    if (sizes.size > mostEntries) throw new Fault("invalid", "the archive has too many files for an image");
    yield part.head;
    if (part.name === "manifest.json" || /^[0-9a-f]{64}\.json$/.test(part.name)) {
      const content = await readContent(part, smallFileBytes);
      small.set(part.name, content);
      yield* [content, tarPadding(content.length)];
    } else yield* part.body();
  }
  const manifest = readManifest(small.get("manifest.json"));
  const config = manifest && small.get(manifest.config);
  if (config && !sizes.has("index.json") && manifest.layers.some((name) => !sizes.has(name)))
    yield* writeIndex(config, manifest.layers, sizes);
  yield tarEnd;
}

/** The layers that are there get their digest as a second name. */
function* writeIndex(
  config: Buffer,
  names: readonly string[],
  sizes: ReadonlyMap<string, number>,
): Generator<Uint8Array> {
  const layers = readLayers(config);
  if (layers.length !== names.length) throw new Fault("invalid", "the archive names other layers than its image has");
  const linked = new Set<string>();
  for (const [index, digest] of layers.entries()) {
    const name = names[index] ?? "";
    if (!sizes.has(name) || sizes.has(blobName(digest)) || linked.has(digest)) continue;
    linked.add(digest);
    yield tarHardLink(blobName(digest), name);
  }
  // Docker's own kind of manifest: the other kind knows no health check.
  const docker = "application/vnd.docker.";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${docker}distribution.manifest.v2+json`,
      config: { mediaType: `${docker}container.image.v1+json`, size: config.length, digest: sha256(config) },
      layers: layers.map((digest, index) => ({
        ...{ mediaType: `${docker}image.rootfs.diff.tar`, size: sizes.get(names[index] ?? "") ?? 0, digest },
      })),
    }),
  );
  const described = {
    mediaType: `${docker}distribution.manifest.v2+json`,
    digest: sha256(manifest),
    size: manifest.length,
  };
  yield tarFile(blobName(sha256(config)), config);
  yield tarFile(blobName(sha256(manifest)), manifest);
  yield tarFile("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [described] })));
  yield tarFile("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blobName = (digest: string) => `blobs/sha256/${digest.slice("sha256:".length)}`;

/** Of the only image: the files of its configuration and of its layers, from the bottom. */
function readManifest(
  content: Buffer | undefined,
): { readonly config: string; readonly layers: readonly string[] } | undefined {
  const images = readJson(content);
  const image: unknown = Array.isArray(images) && images.length === 1 ? images[0] : undefined;
  if (!isRecord(image) || typeof image.Config !== "string" || !Array.isArray(image.Layers)) return undefined;
  return { config: image.Config, layers: image.Layers.filter((name) => typeof name === "string") };
}

function readLayers(config: Buffer): readonly string[] {
  const parsed = readJson(config);
  const rootfs = isRecord(parsed) ? parsed.rootfs : undefined;
  const digests: readonly unknown[] = isRecord(rootfs) && Array.isArray(rootfs.diff_ids) ? rootfs.diff_ids : [];
  return digests
    .filter((digest) => typeof digest === "string")
    .filter((digest) => /^sha256:[0-9a-f]{64}$/.test(digest));
}

function readJson(content: Buffer | undefined): unknown {
  try {
    return content && JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}
