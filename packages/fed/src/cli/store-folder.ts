import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { openTsdb, type TsdbStats } from "#engine/tsdb/tsdb.ts";
import type { ArgSpecs, FlagSpecs } from "./command.ts";
import type { Env } from "./env.ts";
import { fileFault } from "./file-fault.ts";
import { hubFlags } from "./hub-flags.ts";
import { mirrorStore } from "./store-mirror.ts";

/** The argument and flag of a command that looks into a store of metrics itself. */
export const storeArg = {
  folder: { kind: "folder", optional: true, description: "The store; metrics in the hub's data folder when left out" },
} as const satisfies ArgSpecs;

export const storeFlags = { data: hubFlags.data } as const satisfies FlagSpecs;

interface StoreChoice {
  readonly folder: string | undefined;
  readonly data: string | undefined;
}

export function storeFolder({ folder, data }: StoreChoice, env: Env): string {
  if (folder !== undefined && data !== undefined) {
    throw new Fault("invalid", "the argument folder and --data name two stores", { hint: "leave one of them out" });
  }
  return folder ?? join(data ?? env.dataFolder, "metrics");
}

/** So often a look is begun again, when a hub has removed a block that was to be looked into. */
const mostLooks = 4;

/**
 * Looks into a store, also one that a hub runs on, and changes nothing of it; its files are called by their own names. `all`: reads every block, not only their indexes.
 * Fault `missing` when none is there.
 */
export async function lookInto(folder: string, all: boolean): Promise<TsdbStats> {
  for (let looks = 1; ; looks++) {
    requireStore(folder);
    try {
      return await lookOnce(folder, all);
    } catch (thrown) {
      if (looks === mostLooks || !isFault(thrown) || thrown.code !== "missing") throw thrown;
    }
  }
}

async function lookOnce(folder: string, all: boolean): Promise<TsdbStats> {
  const mirror = await mirrorStore(folder).catch((thrown: unknown) => {
    throw fileFault(thrown, "look into", folder);
  });
  try {
    const store = await openTsdb(mirror.folder, { clock: systemClock });
    try {
      if (all) await store.verify();
      const stats = await store.stats();
      const damage = stats.damage.map(({ file, what }) => ({ file: file.replace(mirror.folder, folder), what }));
      return { ...stats, damage };
    } finally {
      await store.close();
    }
  } finally {
    await mirror.close();
  }
}

function requireStore(folder: string): void {
  if (existsSync(join(folder, "wal")) && existsSync(join(folder, "block"))) return;
  throw new Fault("missing", `there is no store of metrics in ${folder}`, {
    hint: "Name its folder, or the hub's data folder with --data DIR.",
  });
}
