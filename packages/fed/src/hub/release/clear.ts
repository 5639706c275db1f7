import { isFault } from "#base/fault.ts";
import type { Database, Reader } from "#disk/sqlite.ts";
import type { ServicePart } from "#hub/service/wanted.ts";
import type { Image, ImageStore } from "#port/image.ts";
import type { Release } from "./release.ts";
import {
  type BroughtImage,
  deleteBrought,
  isAny,
  selectBrought,
  selectBuilders,
  selectByImage,
  selectOpen,
} from "./store.ts";

/**
 * Takes the images off their machines that fed brought there and no release needs: those of releases that were pruned, and of builds and
 * pulls that came to nothing. Never one that an instance is of, nor one that people have given a name of their own. What cannot be asked
 * now is asked again by the next turn.
 */
export async function clearImages(db: Database, imagesOf: ServicePart["imagesOf"], signal: AbortSignal): Promise<void> {
  // What is being made just now may turn out to be an image that would go; its end asks again.
  const mayGo = (row: BroughtImage) => !isAny(db, "preparing") && !isNeeded(db, row);
  for (const row of selectBrought(db)) {
    if (!mayGo(row)) continue;
    try {
      await clear(await imagesOf(row.machine, signal), row, () => mayGo(row), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isFault(thrown)) throw thrown;
      continue;
    }
    if (mayGo(row)) db.tx((tx) => deleteBrought(tx, row));
  }
  for (const { machine, lab } of selectBuilders(db)) {
    try {
      if (!isAny(db, "preparing")) await clearGivenUp(await imagesOf(machine, signal), lab, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isFault(thrown)) throw thrown;
    }
  }
}

/** What builds leave that were given up: an engine may bring them to their end all the same. */
async function clearGivenUp(store: ImageStore, lab: string, signal: AbortSignal): Promise<void> {
  const left = await store.list({ "fed.lab": lab }, signal);
  for (const { id, kept, names } of left) if (!kept && names.length === 0) await store.remove(id, signal);
}

async function clear(
  store: ImageStore,
  { image: id, names }: BroughtImage,
  mayGo: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const image = await store.find(id, signal);
  if (image === undefined || hasOtherNames(image, names)) return;
  // Somebody may have gone back to it meanwhile.
  if (mayGo()) await store.remove(id, signal);
}

/** A release that is at that machine, or a rollout that is about to be. */
function isNeeded(db: Reader, { machine, image }: BroughtImage): boolean {
  if (selectByImage(db, image).some((release) => isAt(release, machine))) return true;
  return selectOpen(db).some(({ request: { artifact } }) => artifact?.kind === "image" && artifact.id === image);
}

function isAt({ artifact, resolved }: Release, machine: string): boolean {
  return resolved.machine === machine || (artifact.kind === "image" && artifact.builtOn === machine);
}

function hasOtherNames(image: Image, ours: readonly string[]): boolean {
  const known = new Set(ours.map(fullName));
  return image.names.some((name) => !known.has(fullName(name)));
}

/** Docker writes `nginx` what Podman writes `docker.io/library/nginx:latest`. */
function fullName(name: string): string {
  const bare = name.replace(/^docker\.io\/(library\/)?/, "");
  return bare.includes("@") || /:[^/]*$/.test(bare) ? bare : `${bare}:latest`;
}
