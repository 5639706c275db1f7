/**
 * Port `image`: the images of one machine's container engine. An image is known by its id: the same id is
 * the same image on every machine. Tags move; nothing here relies on one. What is built, pulled or loaded stays until it is
 * removed: the engine's own clearing of images without a name does not take it.
 */

export interface Image {
  /**
   * `sha256:` and 64 hexadecimal digits. What the store called it that made or pulled it; it keeps that on the way to stores that would
   * call it something else.
   */
  readonly id: string;
  /** `name@sha256:…` by which registries know it, of what was pulled. Podman may say one that is none of what was pushed. */
  readonly digests: readonly string[];
  /** What people and registries call it on this machine, as the engine writes it; the name under which the store keeps it is not among them. */
  readonly names: readonly string[];
  /** It was built, pulled or loaded by a store as this one, to the end: what a build that was given up leaves is not. */
  readonly kept: boolean;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Digests of its layers as they are unpacked (`diff_ids`), from the bottom. */
  readonly layers: readonly string[];
}

export interface SaveOptions {
  /** Layers, by digest, that whoever loads it has already: their content is left out, where the archive keeps them apart. */
  readonly without?: readonly string[] | undefined;
}

/** Who the hub is to a registry. */
export interface RegistryLogin {
  readonly user: string;
  readonly password: string;
}

export interface BuildRequest {
  /** Absolute; what its `.dockerignore` names is left out. */
  readonly folder: string;
  /** Below the folder; `Dockerfile` when left out. */
  readonly dockerfile?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** For the images that it begins with, by the host of their registry; Docker Hub is `docker.io`. */
  readonly logins?: Readonly<Record<string, RegistryLogin>> | undefined;
}

/** A line for people about what goes on: a step of a build, a layer that comes. */
export type ImageProgress = (line: string) => void;

export interface ImageStore {
  readonly name: string;
  /** By id or reference; undefined when it is not on the machine. */
  find(reference: string, signal: AbortSignal): Promise<Image | undefined>;
  /**
   * Fetches what a reference means now. Fault `missing` when the registry has no such image, `denied` when it lets us not have it,
   * `limited` when we asked it too often, `unreachable` when it does not answer or not by TLS as the engine wants it.
   */
  pull(
    reference: string,
    login: RegistryLogin | undefined,
    onProgress: ImageProgress,
    signal: AbortSignal,
  ): Promise<Image>;
  /**
   * Fault `missing` for a folder or Dockerfile that is not there, `invalid` for a build that fails, with the last of what it said (and
   * `login: "refused"` among its details when the registry of an image that it begins with does not let us in),
   * `conflict` when a file changes while it is read.
   */
  build(request: BuildRequest, onProgress: ImageProgress, signal: AbortSignal): Promise<Image>;
  /** The image as a tar archive, as `docker save` has it. Fault `missing`. */
  save(id: string, options: SaveOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Of an image's layers, given from the bottom, those whose content an archive for `load` may lack, since they are there; none where
   * the engine takes whole archives only.
   */
  layersThere(layers: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Takes such an archive of the image with this id; resolves once it is there under it. Fault `invalid` for what is none, or lacks a
   * layer that is not there. An archive that breaks off rejects with its own reason.
   */
  load(archive: AsyncIterable<Uint8Array>, id: string, signal: AbortSignal): Promise<Image>;
  /**
   * Gives the image this reference and pushes it. Answers `name@sha256:…`. Faults `missing` (the image), `denied`, `unreachable` as for
   * `pull`.
   */
  push(
    id: string,
    reference: string,
    login: RegistryLogin | undefined,
    onProgress: ImageProgress,
    signal: AbortSignal,
  ): Promise<string>;
  /** All that bear these labels; all of the machine for none. In order of id. */
  list(labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<readonly Image[]>;
  /**
   * With all its names. One that is not there is removed already. Fault `conflict` while an instance, also an ended one, is of it or
   * another image is built on it.
   */
  remove(id: string, signal: AbortSignal): Promise<void>;
}
