import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { isLockHeld } from "#disk/lock.ts";

const presenceShape = z.object({ url: z.string(), ingressUrl: z.string(), pid: z.number().int() });

/** Where the hub of a data folder answers. */
export type Presence = z.infer<typeof presenceShape>;

/** What a hub holds locked for as long as it lives. */
export const lockPathIn = (dataFolder: string) => join(dataFolder, "hub.lock");

const pathIn = (dataFolder: string) => join(dataFolder, "hub.json");

/** Tells the commands of this machine where the hub answers; to be removed when it ends. */
export async function writePresence(dataFolder: string, presence: Presence): Promise<{ remove(): Promise<void> }> {
  const path = pathIn(dataFolder);
  await writeFileAtomic(path, `${JSON.stringify(presence)}\n`, { mode: 0o600 });
  return { remove: () => forgetPresence(dataFolder) };
}

/** What a hub said that was killed: the next one does this first, for its address may be anybody's by now. */
export async function forgetPresence(dataFolder: string): Promise<void> {
  await rm(pathIn(dataFolder), { force: true });
}

/** Whether a hub lives on this data folder. Asks who holds its lock: a pid says little, it is soon another process's. */
export function isHubThere(dataFolder: string): boolean {
  return isLockHeld(lockPathIn(dataFolder));
}

/** Undefined when no hub has said where it is; one that was killed may still be named. */
export async function readPresence(dataFolder: string): Promise<Presence | undefined> {
  const text = await readFileIfThere(pathIn(dataFolder));
  if (text === undefined) return undefined;
  try {
    return presenceShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
