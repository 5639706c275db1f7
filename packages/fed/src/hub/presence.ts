import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";

const presenceShape = z.object({ url: z.string(), ingressUrl: z.string(), pid: z.number().int() });

/** Where the hub of a data folder answers. */
export type Presence = z.infer<typeof presenceShape>;

const pathIn = (dataFolder: string) => join(dataFolder, "hub.json");

/** Tells the commands of this machine where the hub answers; to be removed when it ends. */
export async function writePresence(dataFolder: string, presence: Presence): Promise<{ remove(): Promise<void> }> {
  const path = pathIn(dataFolder);
  await writeFileAtomic(path, `${JSON.stringify(presence)}\n`, { mode: 0o600 });
  return { remove: () => rm(path, { force: true }) };
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
