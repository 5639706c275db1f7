/**
 * The output file of one instance. The instance appends to it by itself; the hub only cuts off its beginning. It does so
 * by punching a hole: offsets stay as they are, the file becomes sparse, and neither writer nor readers notice. Where
 * the file system (or fallocate(1)) cannot do that, the newest part is copied back over an emptied file: lines written
 * in these milliseconds may be lost or stand out of order.
 *
 * Positions are counted from the very first byte the instance wrote, whichever way the beginning was cut off.
 */

import { execFile } from "node:child_process";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { appendFile, open, truncate } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export const keptBytes = 10 * 1024 * 1024;
/** Cutting begins when so much more than `keptBytes` is there. */
const slackBytes = 2 * 1024 * 1024;

export interface Output {
  readonly path: string;
  /** Position of the first kept byte; always the beginning of a line (or of the rest of a huge one). */
  readonly startBytes: number;
  /** Position after the last byte written. */
  endBytes(): number;
  /** Fills the buffer from that position; returns how much was read, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Cuts off the beginning when there is too much. */
  trim(punch?: Punch): Promise<void>;
}

/** Frees the first bytes of a file without moving the others; rejects when that cannot be done here. */
export type Punch = (path: string, lengthBytes: number) => Promise<unknown>;

const run = promisify(execFile);
const punchHole: Punch = (path, lengthBytes) =>
  run("fallocate", ["--punch-hole", "--offset", "0", "--length", String(lengthBytes), path], { timeout: 10_000 });

export function openOutput(folder: string): Output {
  const path = join(folder, "output");
  const keptPath = join(folder, "kept");
  let { base, start } = readKept(keptPath);
  let trimming: Promise<void> | undefined;
  const endBytes = () => base + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  const keep = (newBase: number, newStart: number) => {
    [base, start] = [newBase, newStart];
    writeFileSync(`${keptPath}.new`, `${base} ${start}\n`);
    renameSync(`${keptPath}.new`, keptPath);
  };
  const read = async (buffer: Buffer, position: number) => {
    if (position < base || position >= endBytes()) return 0;
    const file = await open(path, "r");
    try {
      return (await file.read(buffer, 0, buffer.length, position - base)).bytesRead;
    } finally {
      await file.close();
    }
  };
  const trim = async (punch: Punch) => {
    const end = endBytes();
    if (end - start <= keptBytes + slackBytes) return;
    const cut = await lineStartAfter(read, end - keptBytes);
    const before = start;
    // Noted before it is done: what is told as kept is there at any moment.
    keep(base, cut);
    try {
      await punch(path, cut - base);
    } catch {
      start = before;
      const rest = Buffer.alloc(endBytes() - cut);
      const length = await read(rest, cut);
      await truncate(path, 0);
      keep(cut, cut);
      await appendFile(path, rest.subarray(0, length));
    }
  };
  return {
    path,
    get startBytes() {
      return start;
    },
    endBytes,
    read,
    trim(punch = punchHole) {
      trimming ??= trim(punch).finally(() => {
        trimming = undefined;
      });
      return trimming;
    },
  };
}

/** The beginning of the first line after the position; the position itself within a line of more than 64 KiB. */
async function lineStartAfter(read: Output["read"], position: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  const at = block.subarray(0, await read(block, position)).indexOf(10);
  return at < 0 ? position : position + at + 1;
}

function readKept(path: string): { base: number; start: number } {
  try {
    const [base = 0, start = 0] = readFileSync(path, "utf8").split(" ").map(Number);
    return Number.isSafeInteger(base) && Number.isSafeInteger(start) ? { base, start } : { base: 0, start: 0 };
  } catch {
    return { base: 0, start: 0 };
  }
}
