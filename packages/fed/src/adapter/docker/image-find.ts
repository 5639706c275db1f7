/** Which image is meant, and what the engine says of it. */
import { Fault, isFault } from "#base/fault.ts";
import type { Image } from "#port/image.ts";
import type { EngineClient } from "./client.ts";
import { isRecord } from "./json-lines.ts";

/** Under which we keep images: a tag per id. */
const ownRepository = "localhost/fed";

const isId = (reference: string) => /^sha256:[0-9a-f]{64}$/.test(reference);

/** Repository and tag of ours for an image. */
export function ownName(id: string): readonly [repository: string, tag: string] {
  return [ownRepository, id.replace(/^sha256:/, "")];
}

/** Ids under which we know an image that bears these names. */
export function ownIds(names: readonly string[]): readonly string[] {
  const ids = names.map((name) => name.replace(`${ownRepository}:`, "sha256:"));
  return ids.filter(isId);
}

export const imagePath = (reference: string): string => `/images/${encodeURIComponent(reference)}`;

/** An image that is there. */
export interface FoundImage {
  readonly image: Image;
  /** What the engine itself calls it. */
  readonly engineId: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
}

/**
 * By id or reference. An id that the engine does not know may be what another kind of store called it which it was carried from
 * (Docker's of containerd counts the manifest, others the configuration): then our name tells.
 */
export async function lookForImage(
  client: EngineClient,
  reference: string,
  signal: AbortSignal,
): Promise<FoundImage | undefined> {
  const inspected = await inspect(client, reference, signal);
  if (inspected !== undefined) return readFound(client.name, inspected);
  if (!isId(reference)) return undefined;
  const carried = await inspect(client, ownName(reference).join(":"), signal);
  return carried === undefined ? undefined : readFound(client.name, carried, reference);
}

/** What to call an image to the engine when an instance of it is made. One that is not there keeps its name: the engine says so itself. */
export async function engineNameOf(client: EngineClient, reference: string, signal: AbortSignal): Promise<string> {
  return (await lookForImage(client, reference, signal))?.engineId ?? reference;
}

async function inspect(client: EngineClient, reference: string, signal: AbortSignal): Promise<unknown> {
  const path = `${imagePath(reference)}/json`;
  return orMissing(client.json({ method: "GET", path, what: `image ${reference}` }, signal));
}

/** Undefined for what is not there. */
export async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (thrown) {
    if (isFault(thrown) && thrown.code === "missing") return undefined;
    throw thrown;
  }
}

function readFound(engine: string, inspected: unknown, as?: string): FoundImage {
  const { Id, RepoTags, RepoDigests, Size, Created, Config, RootFS } = isRecord(inspected) ? inspected : {};
  if (typeof Id !== "string") throw new Fault("unreachable", `${engine} does not say which image it is`);
  const engineId = Id.startsWith("sha256:") ? Id : `sha256:${Id}`;
  const digests = readNames(RepoDigests);
  const image: Image = {
    id: as ?? engineId,
    digests: digests.filter((digest) => !digest.startsWith(`${ownRepository}@`)),
    kept: ownIds(readNames(RepoTags)).length > 0,
    names: readNames(RepoTags).filter((name) => !name.startsWith(`${ownRepository}:`)),
    sizeBytes: typeof Size === "number" ? Size : 0,
    createdMs: typeof Created === "string" ? Math.max(0, Date.parse(Created) || 0) : 0,
    labels: readLabels(isRecord(Config) ? Config.Labels : undefined),
    layers: readNames(isRecord(RootFS) ? RootFS.Layers : undefined),
  };
  return { image, engineId, tags: readNames(RepoTags), digests };
}

export function readNames(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [];
  return texts.filter((one) => typeof one === "string").filter((one) => !one.includes("<none>"));
}

function readLabels(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}
