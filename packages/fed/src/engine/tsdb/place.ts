import { rename, writeFile } from "node:fs/promises";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { fileFault } from "#disk/file-fault.ts";

/** A place in the log: behind `row` samples of the record that begins at the byte `at` of a file. */
export interface Place {
  readonly file: number;
  readonly at: number;
  readonly row: number;
}

/** How far a target is, as it is kept over restarts. */
export interface Progress {
  /** All before it has been dealt with. */
  readonly from: Place;
  /** The parcel from there to here may have been sent: it is sent again as it was, so that what is in it twice is all of it. */
  readonly to?: Place | undefined;
  /** Samples that were given up, because the queue may not grow for ever. */
  readonly dropped: number;
}

export function isBefore(a: Place, b: Place): boolean {
  if (a.file !== b.file) return a.file < b.file;
  return a.at !== b.at ? a.at < b.at : a.row < b.row;
}

/** Undefined when there is none; a text that says what is wrong with one that cannot be read. */
export async function readProgress(path: string): Promise<Progress | string | undefined> {
  const text = await readFileIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { from, to, dropped } = JSON.parse(text) as { from: unknown; to?: unknown; dropped: unknown };
    if (isPlace(from) && (to === undefined || isPlace(to)) && isCount(dropped)) return { from, to, dropped };
  } catch {
    // as below
  }
  return "it does not say how far its target is; all that is still there is sent again";
}

/** When it returns, the progress survives kill -9, and a power cut when it is to be `strict`; else more may be sent twice then. */
export async function writeProgress(path: string, progress: Progress, durability: "strict" | "relaxed"): Promise<void> {
  const text = `${JSON.stringify(progress)}\n`;
  if (durability === "strict") return writeFileAtomic(path, text);
  const temp = `${path}.tmp`;
  try {
    await writeFile(temp, text, { mode: 0o600 });
    await rename(temp, path);
  } catch (thrown) {
    throw fileFault(thrown, "write", path);
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { file, at, row } = value as Record<string, unknown>;
  return isCount(file) && isCount(at) && isCount(row);
}
