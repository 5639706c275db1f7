import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { untilAborted } from "#base/abort.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { BuildRequest, Image, ImageStore, RegistryLogin } from "./image.ts";
import { sharedLayers } from "./image-layer.ts";

/** What several fake machines pull from and push to. */
export interface FakeRegistry {
  /** Such as `registry.example:5000`; what else a reference begins with is not reachable. */
  readonly address: string;
  /** Who may use it; everybody when left out. */
  readonly login?: RegistryLogin | undefined;
  /** What each reference means: push and publish set it, tests may too. */
  readonly images: Map<string, FakeImage>;
  /** Puts an image there without any machine having made it. */
  publish(reference: string, labels?: Readonly<Record<string, string>>): Image;
}

/** An image with what its layers hold. */
export interface FakeImage {
  readonly image: Image;
  readonly contents: Readonly<Record<string, string>>;
}

export interface FakeImageOptions {
  /** `docker` when left out. */
  readonly name?: string | undefined;
  /** None when left out: every pull is refused as `unreachable`. */
  readonly registry?: FakeRegistry | undefined;
  /** True when left out. */
  readonly partialLoad?: boolean | undefined;
}

/** Images in memory. A build understands FROM, COPY of one file, LABEL and nothing else. */
export interface FakeImages extends ImageStore {
  /** Every build that was asked for, in order. */
  readonly built: readonly BuildRequest[];
  /** Every reference that was asked for, in order. */
  readonly pulled: readonly string[];
  /** Bytes of all archives that were loaded. */
  readonly loadedBytes: () => number;
  /** What its layers hold, one after the other. */
  readonly unpack: (id: string) => string;
  /** What a build that was given up leaves: an image that nobody keeps. */
  readonly abandon: (labels: Readonly<Record<string, string>>) => Image;
  /** Ids with an instance: `remove` refuses them. */
  readonly used: Set<string>;
  /** The next build, pull, load or push is refused with this. */
  failNext(fault: Fault): void;
  /** The next build, pull, load or push waits until the promise settles, or it is given up. */
  holdNext(until: Promise<unknown>): void;
}

interface Machine {
  readonly options: FakeImageOptions;
  readonly images: Map<string, FakeImage>;
  /** Ids by the references that were pulled or pushed. */
  readonly names: Map<string, string>;
  next: { readonly fault?: Fault; readonly until?: Promise<unknown> };
}

export function makeFakeRegistry(address = "registry.example:5000", login?: RegistryLogin): FakeRegistry {
  const images = new Map<string, FakeImage>();
  return {
    address,
    login,
    images,
    publish(reference, labels = {}) {
      const made = makeImage([`${reference} ${JSON.stringify(labels)} ${images.size}`], labels);
      images.set(reference, made);
      return digested(reference, made).image;
    },
  };
}

export function makeFakeImages(options: FakeImageOptions = {}): FakeImages {
  const machine: Machine = { options, images: new Map(), names: new Map(), next: {} };
  const built: BuildRequest[] = [];
  const pulled: string[] = [];
  const used = new Set<string>();
  let loadedBytes = 0;
  return {
    name: options.name ?? "docker",
    built,
    pulled,
    used,
    loadedBytes: () => loadedBytes,
    unpack: (id) => Object.values(need(machine, id).contents).join("\n"),
    abandon(labels) {
      const { image, contents } = makeImage([`abandoned ${machine.images.size}`], labels);
      return keep(machine, { image: { ...image, kept: false }, contents });
    },
    failNext: (fault) => {
      machine.next = { fault };
    },
    holdNext: (until) => {
      machine.next = { until };
    },
    async find(reference, signal) {
      signal.throwIfAborted();
      const found = findImage(machine, reference);
      return found && named(machine, found.image);
    },
    async pull(reference, login, onProgress, signal) {
      pulled.push(reference);
      await begin(machine, signal);
      const found = look(machine, reference, login);
      onProgress(`pulled ${reference}`);
      machine.names.set(reference, found.image.id);
      return named(machine, keep(machine, digested(reference, found)));
    },
    async build(request, onProgress, signal) {
      built.push(request);
      await begin(machine, signal);
      return keep(machine, buildImage(machine, request, onProgress));
    },
    async *save(id, { without = [] }, signal) {
      signal.throwIfAborted();
      const { image, contents } = need(machine, id);
      const kept = Object.entries(contents).filter(([layer]) => !without.includes(layer));
      yield Buffer.from(`${JSON.stringify({ ...image, digests: [], names: [] })}\n`);
      for (const entry of kept) yield Buffer.from(`${JSON.stringify(entry)}\n`);
    },
    async layersThere(layers, signal) {
      signal.throwIfAborted();
      const others = [...machine.images.values()].map(({ image }) => image.layers);
      return options.partialLoad === false ? [] : sharedLayers(layers, others);
    },
    async load(archive, id, signal) {
      await begin(machine, signal);
      const bytes = await untilAborted(buffer(archive), signal);
      loadedBytes += bytes.length;
      const { image, contents } = readArchive(machine, bytes.toString());
      return keep(machine, { image: { ...image, id }, contents });
    },
    async push(id, reference, login, onProgress, signal) {
      await begin(machine, signal);
      const found = need(machine, id);
      const registry = enter(machine, reference, login);
      registry.images.set(reference, found);
      machine.names.set(reference, id);
      onProgress(`pushed ${reference}`);
      const { image } = digested(reference, found);
      keep(machine, { ...found, image: { ...image, digests: [...found.image.digests, ...image.digests] } });
      return image.digests[0] ?? "";
    },
    async list(labels, signal) {
      signal.throwIfAborted();
      const all = [...machine.images.values()].map(({ image }) => named(machine, image));
      const wanted = Object.entries(labels);
      return all
        .filter((image) => wanted.every(([key, value]) => image.labels[key] === value))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async remove(id, signal) {
      signal.throwIfAborted();
      if (used.has(id)) throw new Fault("conflict", `an instance is of the image ${id}`);
      machine.images.delete(id);
      for (const [name, of] of machine.names) if (of === id) machine.names.delete(name);
    },
  };
}

async function begin(machine: Machine, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { fault, until } = machine.next;
  machine.next = {};
  if (fault) throw fault;
  if (until) await untilAborted(until, signal);
}

function findImage(machine: Machine, reference: string): FakeImage | undefined {
  const known = machine.images.get(machine.names.get(reference) ?? reference);
  if (known) return known;
  return [...machine.images.values()].find(({ image }) => image.digests.includes(reference));
}

/** With what it is called here. */
function named(machine: Machine, image: Image): Image {
  const names = [...machine.names].filter(([name, id]) => id === image.id && !name.includes("@")).map(([name]) => name);
  return { ...image, names };
}

function need(machine: Machine, id: string): FakeImage {
  const found = findImage(machine, id);
  if (!found) throw new Fault("missing", `there is no image ${id}`);
  return found;
}

function keep(machine: Machine, made: FakeImage): Image {
  machine.images.set(made.image.id, made);
  return made.image;
}

function enter({ options }: Machine, reference: string, login: RegistryLogin | undefined): FakeRegistry {
  const { registry } = options;
  if (!registry || !reference.startsWith(`${registry.address}/`))
    throw new Fault("unreachable", `no registry answers for ${reference}`);
  const { login: asked } = registry;
  if (asked && (login?.user !== asked.user || login.password !== asked.password))
    throw new Fault("denied", `the registry does not let us have ${reference}`);
  return registry;
}

function look(machine: Machine, reference: string, login: RegistryLogin | undefined): FakeImage {
  const { images } = enter(machine, reference, login);
  const exact = images.get(reference);
  const byDigest = () => [...images].find(([tag, one]) => digested(tag, one).image.digests.includes(reference))?.[1];
  const found = exact ?? byDigest();
  if (!found) throw new Fault("missing", `the registry has no ${reference}`);
  return found;
}

/** The image as one knows it that came from there. */
function digested(reference: string, { image, contents }: FakeImage): FakeImage {
  const name = reference.replace(/@sha256:[0-9a-f]+$|:[^:/]+$/, "");
  return { image: { ...image, digests: [`${name}@${digestOf(`manifest ${image.id}`)}`] }, contents };
}

function buildImage(
  machine: Machine,
  { folder, dockerfile = "Dockerfile", labels, logins }: BuildRequest,
  say: (line: string) => void,
): FakeImage {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Fault("missing", `the build's folder is not there: ${folder}`);
  if (!existsSync(join(folder, dockerfile))) throw new Fault("missing", `the Dockerfile is not there: ${dockerfile}`);
  const layers: string[] = [];
  for (const line of readFileSync(join(folder, dockerfile), "utf8").split("\n").filter(Boolean)) {
    say(line);
    const [, source = ""] = /^COPY (\S+) \S+$/.exec(line) ?? [];
    const [, base = "scratch"] = /^FROM (\S+)$/.exec(line) ?? [];
    if (base !== "scratch") layers.push(...Object.values(baseOf(machine, base, logins).contents));
    else if (source !== "" && existsSync(join(folder, source))) layers.push(readFileSync(join(folder, source), "utf8"));
    else if (!/^(FROM scratch|LABEL .*)$/.test(line)) throw new Fault("invalid", `the build failed: ${line}`);
  }
  return makeImage(layers, labels);
}

/** What a registry does not let us have makes a build fail. */
function baseOf(machine: Machine, reference: string, logins: BuildRequest["logins"]): FakeImage {
  try {
    return look(machine, reference, logins?.[machine.options.registry?.address ?? ""]);
  } catch (thrown) {
    const { code, message } = toFault(thrown);
    const details = code === "denied" ? { login: "refused" } : {};
    throw new Fault("invalid", `the build failed: ${message}`, { cause: thrown, details });
  }
}

function makeImage(layers: readonly string[], labels: Readonly<Record<string, string>>): FakeImage {
  const digests = layers.map(digestOf);
  const sizeBytes = layers.reduce((sum, text) => sum + text.length, 0);
  const id = digestOf(JSON.stringify({ digests, labels }));
  return {
    image: { id, digests: [], names: [], kept: true, sizeBytes, createdMs: 1_700_000_000_000, labels, layers: digests },
    contents: Object.fromEntries(digests.map((digest, index) => [digest, layers[index] ?? ""])),
  };
}

function readArchive(machine: Machine, text: string): FakeImage {
  try {
    const [image, ...entries] = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const given = new Map<string, string>(entries);
    const present = new Map([...machine.images.values()].flatMap(({ contents }) => Object.entries(contents)));
    const { partialLoad = true } = machine.options;
    const contents = Object.fromEntries(
      (image as Image).layers.map((layer) => {
        const content = given.get(layer) ?? (partialLoad ? present.get(layer) : undefined);
        if (content === undefined) throw new Error(`no layer ${layer}`);
        return [layer, content];
      }),
    );
    return { image, contents };
  } catch (cause) {
    throw new Fault("invalid", "the archive is no image", { cause });
  }
}

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
