import { statSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import type { LoadedLab, RejectedLab } from "./load.ts";

/** File systems and their clocks are this exact at worst. */
const fileTimeMs = 2_000;

/** Whether one of these files may have been written since, by the clock of the files, or has gone. */
export function changedSince(files: readonly string[], sinceMs: number | undefined): boolean {
  if (sinceMs === undefined) return true;
  return files.some((file) => {
    const { mtimeMs, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity, ctimeMs: Infinity };
    return Math.max(mtimeMs, ctimeMs) >= sinceMs - fileTimeMs;
  });
}

/**
 * Reads a lab, or answers what was read last while no file of it has changed: to evaluate one takes a process, and a lab sees nothing
 * but its files. What was refused is read anew each time, and so is what was written while it was read.
 */
export function rereadWhenChanged(
  read: () => Promise<LoadedLab | RejectedLab>,
  clock: Pick<Clock, "nowMs">,
): () => Promise<LoadedLab | RejectedLab> {
  let last: { readonly loaded: LoadedLab; readonly stamps: string } | undefined;
  return async () => {
    if (last !== undefined && stampsOf(last.loaded.files) === last.stamps) return last.loaded;
    const begunMs = clock.nowMs();
    const loaded = await read();
    const isSure = loaded.kind === "loaded" && !changedSince(loaded.files, begunMs);
    last = isSure ? { loaded, stamps: stampsOf(loaded.files) } : undefined;
    return loaded;
  };
}

/** Another file, or another content, has another one, whatever clocks say. */
function stampsOf(files: readonly string[]): string {
  const stamps = files.map((file) => {
    const found = statSync(file, { throwIfNoEntry: false, bigint: true });
    return found === undefined ? "gone" : `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
  });
  return stamps.join("\n");
}
