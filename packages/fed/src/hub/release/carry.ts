/** An image from one machine's engine to another's without a registry: read here, written there, nothing kept in between. */
import { Fault, isFault } from "#base/fault.ts";
import type { Image, ImageProgress, ImageStore } from "#port/image.ts";

/** Between two lines about how far it is: at least so much, and of a large image a fiftieth. */
const leastStepBytes = 8 * 2 ** 20;

/**
 * The image as it is there in the end. What the target has of it already stays at home, where its engine takes that. Fault `missing`
 * when the source does not have it; what source and target say otherwise is passed on.
 */
export async function carryImage(
  from: ImageStore,
  to: ImageStore,
  id: string,
  onProgress: ImageProgress,
  signal: AbortSignal,
): Promise<Image> {
  const there = await to.find(id, signal);
  if (there) return there;
  const image = await from.find(id, signal);
  if (image === undefined) throw new Fault("missing", `the image ${id} is gone from where it was to be carried from`);
  const without = await to.layersThere(image.layers, signal);
  if (without.length > 0) onProgress(`${without.length} of ${image.layers.length} layers are there already`);
  const send = (left: readonly string[]) =>
    to.load(counted(from.save(id, { without: left }, signal), image, onProgress), id, signal);
  const carried = await send(without).catch((thrown: unknown) => {
    // One of them went meanwhile.
    if (without.length === 0 || signal.aborted || !isFault(thrown) || thrown.code !== "invalid") throw thrown;
    onProgress("not all of them, after all: once more with every layer");
    return send([]);
  });
  if (carried.layers.join() !== image.layers.join())
    throw new Fault(
      "conflict",
      `what arrived is not the image ${id}: ${to.name} counts other layers than ${from.name}`,
      {
        hint: "Deploy again; if it stays so, one of the two engines has a damaged image.",
      },
    );
  return carried;
}

async function* counted(
  archive: AsyncIterable<Uint8Array>,
  { sizeBytes }: Image,
  onProgress: ImageProgress,
): AsyncGenerator<Uint8Array> {
  const stepBytes = Math.max(leastStepBytes, sizeBytes / 50);
  let carriedBytes = 0;
  let nextBytes = stepBytes;
  try {
    for await (const chunk of archive) {
      carriedBytes += chunk.length;
      if (carriedBytes >= nextBytes) {
        nextBytes = carriedBytes + stepBytes;
        onProgress(`carried ${megabytes(carriedBytes)} of at most ${megabytes(Math.max(sizeBytes, carriedBytes))}`);
      }
      yield chunk;
    }
  } finally {
    // Also when the target has enough before the end.
    onProgress(`carried ${megabytes(carriedBytes)}`);
  }
}

const megabytes = (sizeBytes: number) =>
  sizeBytes < 100_000 ? `${(sizeBytes / 1_000).toFixed(1)} kB` : `${(sizeBytes / 1_000_000).toFixed(1)} MB`;
