/** The frames in which an engine sends stdout and stderr over one connection (Docker Engine API, "Stream format"). */
import { Fault } from "#base/fault.ts";

export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Buffer;
}

const headBytes = 8;
/** Engines cut far below. */
const frameLimitBytes = 8 * 2 ** 20;

/** Fault `unreachable` for what are no frames. What is incomplete at the end is left out. */
export async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.length - at >= headBytes) {
      const sizeBytes = held.readUInt32BE(at + 4);
      const kind = held[at] ?? 0;
      if (kind > 2 || sizeBytes > frameLimitBytes)
        throw new Fault("unreachable", "the engine sends output that is not in frames");
      if (held.length - at - headBytes < sizeBytes) break;
      const bytes = held.subarray(at + headBytes, at + headBytes + sizeBytes);
      yield { stream: kind === 2 ? "stderr" : "stdout", bytes };
      at += headBytes + sizeBytes;
    }
    held = held.subarray(at);
  }
}
