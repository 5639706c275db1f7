import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { ScriptStore } from "#engine/promql/script-run.ts";
import type { Queryable } from "#engine/series/queryable.ts";
import type { Series } from "#engine/series/series.ts";
import { openTsdb, type Tsdb } from "#engine/tsdb/tsdb.ts";

/** A store of metrics as a hub has it, for the series of scripts, in a folder of its own. */
export interface OpenScriptStore extends ScriptStore {
  /** Removes the folder. Closing twice is harmless. */
  close(): Promise<void>;
}

/**
 * Where the samples are when a script asks: `memory` as they were appended, or in a `block`, after the store was closed and
 * opened again.
 */
export type Keeping = "memory" | "block";

const hourMs = 3_600_000;
// Scripts load spans of seconds and of years; each span of the store has buffers of its own.
const spanMs = 960 * hourMs;

export async function openScriptStore(keeping: Keeping = "memory", parent = tmpdir()): Promise<OpenScriptStore> {
  const home = await mkdtemp(join(parent, "fed-script-"));
  let loaded: Series[] = [];
  let stores = 0;
  let folder = "";
  let running: Promise<Tsdb> | undefined;
  const forget = async () => {
    const old = await running?.catch(() => undefined);
    running = undefined;
    await old?.close();
    await rm(folder, { recursive: true, force: true });
  };
  const spans = { spanMs, daySpanMs: spanMs, aheadMs: Infinity } as const;
  const open = (outOfOrderMs: number): Promise<Tsdb> =>
    openTsdb(folder, { clock: systemClock, durability: "relaxed", ...spans, outOfOrderMs });
  const start = async (): Promise<Tsdb> => {
    folder = join(home, String(stores++));
    const store = await open(Infinity);
    if (keeping === "memory") return store;
    await fill(store, loaded);
    await store.close();
    // No sample is newer than what is closed then.
    const sealing = await open(-2 * spanMs);
    await sealing.maintain();
    await sealing.close();
    return open(-2 * spanMs);
  };
  const asked = () => (running ??= start());
  const queryable: Queryable = {
    async *select(selection, signal) {
      yield* (await asked()).select(selection, signal);
    },
    series: async (selection, signal) => (await asked()).series(selection, signal),
    labelNames: async (selection, signal) => (await asked()).labelNames(selection, signal),
    labelValues: async (name, selection, signal) => (await asked()).labelValues(name, selection, signal),
  };
  return {
    queryable,
    async append(series) {
      if (keeping === "memory") return fill(await asked(), series);
      loaded.push(...series);
      await forget();
    },
    async clear() {
      loaded = [];
      await forget();
    },
    async close() {
      await forget();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** In one batch: each one is a commit. */
async function fill(store: Tsdb, series: readonly Series[]): Promise<void> {
  const rows = series.reduce((sum, { times }) => sum + times.length, 0);
  const labels = series.flatMap((one) => new Array<Series["labels"]>(one.times.length).fill(one.labels));
  const [times, values] = [new Float64Array(rows), new Float64Array(rows)];
  let at = 0;
  for (const one of series) {
    times.set(one.times, at);
    values.set(one.values, at);
    at += one.times.length;
  }
  const { refusals } = await store.append({ labels, times, values });
  if (refusals[0] !== undefined) throw new Fault("invalid", refusals[0].message);
}
