/** Port `image` on Docker and on Podman, which speaks the same API and differs in what its archives and builds are. */
import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Image, ImageProgress, ImageStore, RegistryLogin } from "#port/image.ts";
import { sharedLayers } from "#port/image-layer.ts";
import { indexWhatIsMissing, saveWithout } from "./archive.ts";
import { type EngineClient, type EngineRequest, openEngineClient } from "./client.ts";
import { dialerOf, type EngineSocket } from "./dial.ts";
import { buildImage, type ImageNeeds, keepReason, untilDoneMs } from "./image-build.ts";
import { imagePath, lookForImage, orMissing, ownIds, ownName, readNames } from "./image-find.ts";
import { errorOf, isRecord, type JsonLine, readJsonLines } from "./json-lines.ts";
import { refusal } from "./refusal.ts";
import { loginHeader, readReference, transferNews } from "./transfer.ts";

export interface EngineImageOptions {
  readonly socket: EngineSocket;
  readonly clock: Clock;
}

export const openDockerImages = (options: EngineImageOptions): ImageStore => openImages("docker", options);

export const openPodmanImages = (options: EngineImageOptions): ImageStore => openImages("podman", options);

function openImages(name: "docker" | "podman", { socket, clock }: EngineImageOptions): ImageStore {
  const client = openEngineClient({ name, socket, clock });
  const needs: ImageNeeds = { client, dial: dialerOf(socket), buildKit: name === "docker" };
  return {
    name,
    find: async (reference, signal) => (await lookForImage(client, reference, signal))?.image,
    pull: (reference, login, onProgress, signal) => pull(client, reference, login, onProgress, signal),
    async build(request, onProgress, signal) {
      return keep(client, await buildImage(needs, request, onProgress, signal), undefined, signal);
    },
    save: (id, { without = [] }, signal) => save(client, id, without, signal),
    layersThere: (layers, signal) => layersThere(client, layers, signal),
    load: (archive, id, signal) => load(client, name === "podman" ? indexWhatIsMissing(archive) : archive, id, signal),
    push: (id, reference, login, onProgress, signal) => push(client, id, reference, login, onProgress, signal),
    list: (labels, signal) => list(client, labels, signal),
    remove: (id, signal) => remove(client, id, signal),
  };
}

/** Gives it a name of ours, so that clearing what has no name does not take it. It is known by `as`, or by what the engine calls it. */
async function keep(
  client: EngineClient,
  reference: string,
  as: string | undefined,
  signal: AbortSignal,
): Promise<Image> {
  const found = await lookForImage(client, reference, signal);
  if (found === undefined) throw new Fault("unreachable", `${client.name} does not have ${reference} any more`);
  const id = as ?? found.engineId;
  const [repo, tag] = ownName(id);
  const path = `${imagePath(found.engineId)}/tag`;
  await client.json({ method: "POST", path, query: { repo, tag }, what: `name for ${id}` }, signal);
  return { ...found.image, id, kept: true };
}

/** Reads an answer to its end; rejects with what it says went wrong. */
async function follow(
  client: EngineClient,
  request: EngineRequest,
  onLine: (line: JsonLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const answer = await client.stream({ timeoutMs: untilDoneMs, ...request }, signal);
  for await (const line of readJsonLines(client.name, answer)) {
    const failure = errorOf(line);
    if (failure !== undefined) throw refusal(`${client.name}: ${request.what}`, 500, failure);
    onLine(line);
  }
}

async function pull(
  client: EngineClient,
  reference: string,
  login: RegistryLogin | undefined,
  onProgress: ImageProgress,
  signal: AbortSignal,
): Promise<Image> {
  const { name, tag } = readReference(reference);
  const request: EngineRequest = {
    method: "POST",
    path: "/images/create",
    query: { fromImage: name, tag },
    headers: loginHeader(reference, login),
    what: `pull of ${reference}`,
  };
  await follow(client, request, transferNews(onProgress), signal);
  return keep(client, tag.startsWith("sha256:") ? `${name}@${tag}` : `${name}:${tag}`, undefined, signal);
}

async function* save(
  client: EngineClient,
  id: string,
  without: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const found = await lookForImage(client, id, signal);
  if (found === undefined) throw new Fault("missing", `${client.name} has no image ${id}`);
  const path = `${imagePath(found.engineId)}/get`;
  const read = () => client.stream({ method: "GET", path, what: `archive of ${id}`, timeoutMs: untilDoneMs }, signal);
  const { layers } = found.image;
  const gone = new Set(without.filter((layer) => layers.includes(layer)));
  try {
    if (gone.size === 0) yield* await read();
    else yield* saveWithout(read, layers, gone);
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  }
}

/** Docker's store of containerd keeps layers packed, and by that digest: it would take an archive that lacks one, and be left without. */
async function layersThere(
  client: EngineClient,
  layers: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const info = await client.json({ method: "GET", path: "/info", what: "what it is" }, signal);
  const status: unknown = isRecord(info) ? info.DriverStatus : undefined;
  if (JSON.stringify(status ?? "").includes("containerd.snapshotter")) return [];
  const others = await list(client, {}, signal);
  return sharedLayers(
    layers,
    others.map((other) => other.layers),
  );
}

async function load(
  client: EngineClient,
  archive: AsyncIterable<Uint8Array>,
  id: string,
  signal: AbortSignal,
): Promise<Image> {
  const { bytes, reason } = keepReason(archive);
  const query = { quiet: true };
  const request: EngineRequest = { method: "POST", path: "/images/load", query, bytes, what: "load of an image" };
  let loaded: string | undefined;
  const onLine = ({ stream }: JsonLine) => {
    loaded = readLoaded(stream) ?? loaded;
  };
  try {
    await follow(client, request, onLine, signal);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw reason() ?? loadFault(thrown);
  }
  if (loaded === undefined) throw new Fault("invalid", `${client.name} found no image in the archive`);
  return keep(client, loaded, id, signal);
}

/** "Loaded image ID: sha256:…", "Loaded image: name:tag"; Podman has several names with commas. */
function readLoaded(stream: unknown): string | undefined {
  return typeof stream === "string" ? /^Loaded image(?: ID)?: ([^,\s]+)/m.exec(stream)?.[1] : undefined;
}

/** What an engine cannot make an image of; but not a full disk or a lost engine. */
function loadFault(thrown: unknown): unknown {
  if (!isFault(thrown) || !isRecord(thrown.details) || thrown.details.disk === "full") return thrown;
  return new Fault("invalid", thrown.message, { cause: thrown, details: thrown.details });
}

async function push(
  client: EngineClient,
  id: string,
  reference: string,
  login: RegistryLogin | undefined,
  onProgress: ImageProgress,
  signal: AbortSignal,
): Promise<string> {
  const found = await lookForImage(client, id, signal);
  if (found === undefined) throw new Fault("missing", `${client.name} has no image ${id}`);
  const { name, tag } = readReference(reference);
  const naming = { method: "POST", path: `${imagePath(found.engineId)}/tag`, query: { repo: name, tag } } as const;
  await client.json({ ...naming, what: `name for ${id}` }, signal);
  const request: EngineRequest = {
    method: "POST",
    path: `${imagePath(name)}/push`,
    query: { tag },
    headers: loginHeader(reference, login),
    what: `push of ${reference}`,
  };
  const say = transferNews(onProgress);
  let digest: string | undefined;
  const onLine = (line: JsonLine) => {
    say(line);
    digest = readDigest(line) ?? digest;
  };
  await follow(client, request, onLine, signal);
  if (digest === undefined) throw new Fault("unreachable", `${client.name} did not say under which digest it pushed`);
  return `${name}@${digest}`;
}

function readDigest({ aux, status }: JsonLine): string | undefined {
  if (isRecord(aux) && typeof aux.Digest === "string") return aux.Digest;
  return typeof status === "string" ? /digest: (sha256:[0-9a-f]{64})/.exec(status)?.[1] : undefined;
}

async function list(
  client: EngineClient,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Image[]> {
  // By one label alone, the others here: Podman 4 finds nothing by two.
  const wanted = Object.entries(labels);
  const label = wanted.slice(0, 1).map(([key, value]) => `${key}=${value}`);
  const filters = label.length === 0 ? undefined : JSON.stringify({ label });
  const answer = await client.json(
    { method: "GET", path: "/images/json", query: { filters }, what: "list of images" },
    signal,
  );
  const ids = readRecords(answer).flatMap(({ Id, RepoTags }) => {
    const ours = ownIds(readNames(RepoTags));
    return ours.length > 0 || typeof Id !== "string" ? ours : [Id];
  });
  const found: Image[] = [];
  for (const id of [...new Set(ids)].sort()) {
    const image = (await lookForImage(client, id, signal))?.image;
    if (image && wanted.every(([key, value]) => image.labels[key] === value)) found.push(image);
  }
  return found;
}

async function remove(client: EngineClient, id: string, signal: AbortSignal): Promise<void> {
  const found = await lookForImage(client, id, signal);
  if (found === undefined) return;
  const { engineId, tags, digests } = found;
  const drop = (name: string) =>
    orMissing(client.json({ method: "DELETE", path: imagePath(name), what: `removal of ${name}` }, signal));
  // The same image may have come from two kinds of store: then only what this one called it goes.
  if (ownIds(tags).some((own) => own !== id)) return void (await drop(ownName(id).join(":")));
  const query = { all: true };
  const containers = await client.json(
    { method: "GET", path: "/containers/json", query, what: "list of containers" },
    signal,
  );
  const used = readRecords(containers).map(({ ImageID }) => String(ImageID).replace(/^(sha256:)?/, "sha256:"));
  if (used.includes(engineId))
    throw new Fault("conflict", `an instance is of the image ${id}`, { hint: "Remove the instance first." });
  // Name by name, never by force: force would take Podman's containers along. The last name takes the image.
  for (const name of [...tags, ...digests, engineId]) await drop(name);
}

function readRecords(answer: unknown): readonly JsonLine[] {
  const all: readonly unknown[] = Array.isArray(answer) ? answer : [];
  return all.filter(isRecord);
}
