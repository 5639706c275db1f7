/** The image of a rollout: pulled, built, or brought from where it is to where it is to run. */
import { Fault, isFault } from "#base/fault.ts";
import type { ServicePart } from "#hub/service/wanted.ts";
import type { Image, ImageProgress, ImageStore } from "#port/image.ts";
import type { Registries } from "./registry.ts";
import type { Artifact, ImageArtifact } from "./release.ts";

export interface ImageNeeds {
  readonly imagesOf: ServicePart["imagesOf"];
  /** The machine that the hub runs on, when the lab has it. */
  localMachine(): string | undefined;
  /** Machines that have, or had, this image. */
  holdersOf(image: string): readonly string[];
  /** The commit of a folder's source; undefined when it is in no repository. */
  commitOf(folder: string, signal: AbortSignal): Promise<string | undefined>;
  readonly registries: Registries;
  /** fed has brought this image to a machine, and given it this name there; "" for none. */
  brought(machine: string, image: string, name: string): void;
  /** A build of this lab begins on a machine. */
  builds(machine: string, lab: string): void;
  /** Brings an image from one machine's images to another's. */
  carry(from: ImageStore, to: ImageStore, id: string, onProgress: ImageProgress, signal: AbortSignal): Promise<Image>;
}

/** Who hears how it goes. */
export interface ImageWords {
  step<T>(text: string, work: () => Promise<T>): Promise<T>;
  line(text: string): void;
}

/** What a reference means now. Where its machine does not reach the registry, the hub's own pulls it and hands it on. */
export async function pullImage(
  needs: ImageNeeds,
  reference: string,
  machine: string,
  words: ImageWords,
  signal: AbortSignal,
): Promise<Artifact> {
  try {
    return await pullAt(needs, reference, machine, words, signal);
  } catch (thrown) {
    const local = needs.localMachine();
    const cutOff = isFault(thrown) && (thrown.code === "unreachable" || thrown.code === "timeout");
    if (signal.aborted || !cutOff || local === undefined || local === machine) throw thrown;
    words.line(`${thrown.message}; ${local} tries in its place`);
    const artifact = await pullAt(needs, reference, local, words, signal).catch(() => {
      signal.throwIfAborted();
      // What is in the way there is no news for who asked for the other machine.
      throw thrown;
    });
    return bringImage(needs, { ...artifact, builtOn: local }, machine, words, signal);
  }
}

async function pullAt(
  needs: ImageNeeds,
  reference: string,
  machine: string,
  words: ImageWords,
  signal: AbortSignal,
): Promise<ImageArtifact> {
  const store = await needs.imagesOf(machine, signal);
  return words.step(`pull ${reference} on ${machine}`, async () => {
    const there = await store.find(reference, signal);
    const login = await needs.registries.loginFor(reference);
    const image = await store.pull(reference, login, words.line, signal).catch((thrown: unknown) => {
      // Whoever is known there and is refused wants to know it.
      if (login !== undefined && isFault(thrown) && thrown.code === "denied") throw explained(needs, thrown, reference);
      return useThere(explained(needs, thrown, reference), there, words, signal);
    });
    if (there?.id !== image.id) needs.brought(machine, image.id, reference);
    const digest = image.digests.find((one) => repositoryOf(one) === repositoryOf(reference)) ?? image.digests[0];
    return {
      ...{ kind: "image", id: image.id, reference },
      ...(digest === undefined ? {} : { digest }),
    };
  });
}

const explained = ({ registries }: ImageNeeds, thrown: unknown, reference: string) =>
  registries.explain(thrown, reference);

/** An image that people made on the machine themselves is in no registry. */
function useThere(thrown: unknown, there: Image | undefined, words: ImageWords, signal: AbortSignal): Image {
  if (signal.aborted || there === undefined || !isFault(thrown) || !excused.has(thrown.code)) throw thrown;
  words.line(`${thrown.message}; the one that is on the machine is taken`);
  return there;
}

const excused: ReadonlySet<Fault["code"]> = new Set(["missing", "denied", "unreachable", "timeout"]);

/** `registry:5000/name` of `registry:5000/name:tag` and of `registry:5000/name@sha256:…`. */
function repositoryOf(reference: string): string {
  const named = reference.split("@")[0] ?? "";
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  return colon < 0 ? named : named.slice(0, colon);
}

export async function buildImage(
  needs: ImageNeeds,
  workload: { readonly folder: string; readonly dockerfile?: string },
  { machine, lab, service, push }: BuildFor,
  words: ImageWords,
  signal: AbortSignal,
): Promise<Artifact> {
  const { folder, dockerfile } = workload;
  const builder = await builderFor(needs, machine, signal);
  const commit = await needs.commitOf(folder, signal);
  const labels = { "fed.lab": lab, "fed.service": service, ...(commit === undefined ? {} : { "fed.commit": commit }) };
  const logins = await needs.registries.logins(words.line);
  needs.builds(builder.machine, lab);
  const image = await words.step(`build ${folder} on ${builder.machine}`, () =>
    builder.store.build({ folder, dockerfile, labels, logins }, words.line, signal).catch((thrown: unknown) => {
      throw needs.registries.explainBuild(thrown);
    }),
  );
  needs.brought(builder.machine, image.id, "");
  const artifact: ImageArtifact = {
    ...{ kind: "image", id: image.id, source: folder },
    ...(commit === undefined ? {} : { commit }),
    ...(builder.machine === machine ? {} : { builtOn: builder.machine }),
  };
  const pushed = await pushImage(needs, artifact, { machine: builder.machine, push }, words, signal);
  return builder.machine === machine ? pushed : bringImage(needs, pushed, machine, words, signal, push);
}

/** Whom an image is built for. */
export interface BuildFor {
  readonly machine: string;
  readonly lab: string;
  readonly service: string;
  /** The repository that it is pushed to. */
  readonly push: string | undefined;
}

/** From a machine that has it to where the lab wants it, unless it is there: then its digest says so. */
export async function pushImage(
  needs: ImageNeeds,
  artifact: ImageArtifact,
  { machine, push }: Pick<BuildFor, "machine" | "push">,
  words: ImageWords,
  signal: AbortSignal,
): Promise<ImageArtifact> {
  if (push === undefined || isPushed(artifact, push)) return artifact;
  const store = await needs.imagesOf(machine, signal);
  // A tag per image: it never moves.
  const reference = `${push}:${artifact.id.slice("sha256:".length).slice(0, tagDigits)}`;
  const digest = await words.step(`push ${reference} from ${machine}`, async () => {
    const login = await needs.registries.loginFor(reference);
    needs.brought(machine, artifact.id, reference);
    return store.push(artifact.id, reference, login, words.line, signal).catch((thrown: unknown) => {
      throw explained(needs, thrown, reference);
    });
  });
  return { ...artifact, digest };
}

const tagDigits = 16;

const isPushed = ({ digest }: ImageArtifact, push: string | undefined) =>
  push !== undefined && digest !== undefined && repositoryOf(digest) === push;

/** The hub's own machine, where its source is, or else the one it is for. */
async function builderFor(needs: ImageNeeds, machine: string, signal: AbortSignal) {
  const local = needs.localMachine();
  if (local !== undefined && local !== machine) {
    try {
      return { machine: local, store: await needs.imagesOf(local, signal) };
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isFault(thrown) || (thrown.code !== "unsupported" && thrown.code !== "unreachable")) throw thrown;
    }
  }
  return { machine, store: await needs.imagesOf(machine, signal) };
}

/**
 * An image that is known already: to its machine, if it is not there. From another machine that has it, or from its registry; from there
 * first when that is where the lab puts it.
 */
export async function bringImage(
  needs: ImageNeeds,
  artifact: ImageArtifact,
  machine: string,
  words: ImageWords,
  signal: AbortSignal,
  push?: string,
): Promise<ImageArtifact> {
  const { id } = artifact;
  const target = await needs.imagesOf(machine, signal);
  if (await target.find(id, signal)) return artifact;
  const to = { machine, target };
  const failures: string[] = [];
  const first = isPushed(artifact, push);
  if (first && (await pullBrought(needs, artifact, to, failures, words, signal).catch(told))) return artifact;
  if (await carryBrought(needs, artifact, to, failures, words, signal)) return artifact;
  if (!first && (await pullBrought(needs, artifact, to, failures, words, signal))) return artifact;
  const holders = holdersOf(needs, artifact, machine);
  throw new Fault("missing", `the image ${shortId(id)} is gone from ${[machine, ...holders].join(", ")}`, {
    hint: `${failures.map((one) => `${one}. `).join("")}Make it anew: fed deploy.`,
  });

  /** There is another way. */
  function told(thrown: unknown): false {
    if (signal.aborted || !isFault(thrown)) throw thrown;
    words.line(`${thrown.message}; it is carried there instead`);
    failures.push(thrown.message);
    return false;
  }
}

interface Target {
  readonly machine: string;
  readonly target: ImageStore;
}

function holdersOf(needs: ImageNeeds, { id, builtOn }: ImageArtifact, machine: string): readonly string[] {
  const all = [...(builtOn === undefined ? [] : [builtOn]), ...needs.holdersOf(id)];
  return [...new Set(all.filter((one) => one !== machine))];
}

/** Whether another machine had it. */
async function carryBrought(
  needs: ImageNeeds,
  artifact: ImageArtifact,
  { machine, target }: Target,
  failures: string[],
  words: ImageWords,
  signal: AbortSignal,
): Promise<boolean> {
  const { id } = artifact;
  for (const holder of holdersOf(needs, artifact, machine)) {
    const source = await findAt(needs, holder, id, signal);
    if (source === undefined) {
      failures.push(`${holder} does not have it, or cannot be asked now`);
      continue;
    }
    await words.step(`carry the image from ${holder} to ${machine}`, () =>
      needs.carry(source, target, id, words.line, signal),
    );
    needs.brought(machine, id, "");
    return true;
  }
  return false;
}

/** Whether its registry gave it under its id. */
async function pullBrought(
  needs: ImageNeeds,
  { id, digest }: ImageArtifact,
  { machine, target }: Target,
  failures: string[],
  words: ImageWords,
  signal: AbortSignal,
): Promise<boolean> {
  if (digest === undefined) return false;
  return words.step(`pull ${digest} on ${machine}`, async () => {
    const there = await target.find(digest, signal);
    const login = await needs.registries.loginFor(digest);
    const pulled = await target.pull(digest, login, words.line, signal).catch((thrown: unknown) => {
      throw explained(needs, thrown, digest);
    });
    if (there?.id !== pulled.id) needs.brought(machine, pulled.id, digest);
    if (pulled.id === id) return true;
    const why = `${digest} is another image on ${machine}, as for another kind of processor or of engine`;
    failures.push(why);
    words.line(why);
    return false;
  });
}

async function findAt(needs: ImageNeeds, machine: string, id: string, signal: AbortSignal) {
  try {
    const store = await needs.imagesOf(machine, signal);
    return (await store.find(id, signal)) ? store : undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    if (isFault(thrown)) return undefined;
    throw thrown;
  }
}

/** `sha256:` and 12 of its digits. */
function shortId(id: string): string {
  return id.slice(0, "sha256:".length + 12);
}
