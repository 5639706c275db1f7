import { readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "./place.ts";
import type { WalFile } from "./wal.ts";
import { findRecord, skimRecord } from "./wal-record.ts";

/** Files of the log that the store needs no more, and a target has not got yet. */

/** The queue is no reason that a disk is fuller than this. */
const fullestShare = 0.9;

export const queuePath = (folder: string, number: number) => join(folder, `${String(number).padStart(10, "0")}.wal`);

export function isFull(folder: string): boolean {
  const { blocks, bavail } = statfsSync(folder);
  return bavail < blocks * (1 - fullestShare);
}

/** Of a file, behind a place; as far as it can be read. */
export function countSamples({ number, path, sizeBytes }: WalFile, from: Place): number {
  const data = readIfThere(path).subarray(0, sizeBytes);
  let samples = 0;
  for (let at = from.file === number ? from.at : 0; at < data.length; ) {
    const found = skimRecord(data, at);
    if (found === undefined) {
      at = findRecord(data, at + 1) ?? data.length;
      continue;
    }
    samples += found.samples - (from.file === number && from.at === at ? from.row : 0);
    at += found.sizeBytes;
  }
  return samples;
}

/** What somebody has taken away, or the disk has lost, must not keep the rest from going. */
function readIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array(0);
  }
}

/** By number. */
export function listQueue(folder: string): readonly WalFile[] {
  return readdirSync(folder)
    .flatMap((name) => Number(/^(\d{10})\.wal$/.exec(name)?.[1] ?? 0) || [])
    .sort((a, b) => a - b)
    .map((number) => {
      const path = queuePath(folder, number);
      return { number, path, sizeBytes: statSync(path).size };
    });
}
