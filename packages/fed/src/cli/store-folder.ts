import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { openTsdb, type Tsdb } from "#engine/tsdb/tsdb.ts";
import type { ArgSpecs, FlagSpecs } from "./command.ts";
import type { Env } from "./env.ts";
import { hubFlags } from "./hub-flags.ts";

/** The argument and flag of a command that opens a store of metrics itself. */
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

/** Opens the store while `use` looks into it. Fault `missing` when none is there, `conflict` while a hub has it open. */
export async function withStore<T>(folder: string, use: (store: Tsdb) => Promise<T>): Promise<T> {
  // Opening makes what is not there.
  if (!existsSync(join(folder, "wal")) || !existsSync(join(folder, "block"))) {
    throw new Fault("missing", `there is no store of metrics in ${folder}`, {
      hint: "Name its folder, or the hub's data folder with --data DIR.",
    });
  }
  const store = await openTsdb(folder, { clock: systemClock }).catch((thrown: unknown) => {
    throw isFault(thrown) && thrown.code === "conflict" ? heldBy(folder, thrown) : thrown;
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function heldBy(folder: string, fault: Fault): Fault {
  return new Fault("conflict", `the store in ${folder} is in use: ${fault.message}`, {
    hint: "One process at a time has it open. End the hub first: fed down",
    details: fault.details,
    cause: fault,
  });
}
