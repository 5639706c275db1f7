/** The thread of a store: what it is asked by `remote.ts`, it does, and answers in any order. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Labels } from "../series/labels.ts";
import type { Series } from "../series/series.ts";
import type { Ask, Start } from "./message.ts";
import { openTsdb, type Tsdb } from "./tsdb.ts";

interface Running {
  readonly controller: AbortController;
  readonly batches?: AsyncIterator<readonly Series[]>;
}

const running = new Map<number, Running>();
const known = new Map<number, Labels>();

if (parentPort !== null) {
  const port = parentPort;
  const { folder, options } = workerData as Start;
  const answer = (id: number, work: Promise<unknown>) =>
    work.then(
      (value) => port.postMessage({ id, value }, buffersOf(value)),
      (thrown: unknown) => {
        const { code, message, hint, details } = toFault(thrown);
        port.postMessage({ id, fault: { code, message, hint, details } });
      },
    );
  const opening = openTsdb(folder, { clock: systemClock, ...options });
  answer(
    0,
    opening.then(() => undefined),
  );
  port.on("message", (ask: Ask) => {
    answer(
      ask.id,
      opening.then((store) => perform(store, ask)),
    ).then(() => {
      if (ask.kind === "close") port.close();
    });
  });
}

async function perform(store: Tsdb, ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case "append": {
      if (ask.anew) known.clear();
      for (const [number, labels] of ask.named) known.set(number, labels);
      const labels = Array.from(ask.rows, (number) => known.get(number) ?? []);
      return store.append({ labels, times: ask.times, values: ask.values }, ask.tenant);
    }
    case "select": {
      const controller = new AbortController();
      const batches = store.select(ask.selection, controller.signal)[Symbol.asyncIterator]();
      running.set(ask.id, { controller, batches });
      return undefined;
    }
    case "next":
      return next(ask.of);
    case "end": {
      const one = running.get(ask.of);
      running.delete(ask.of);
      one?.controller.abort(new Fault("internal", "nobody waits for this query any more"));
      await one?.batches?.return?.();
      return undefined;
    }
    case "series":
      return stoppable(ask.id, (signal) => store.series(ask.selection, signal));
    case "labelNames":
      return stoppable(ask.id, (signal) => store.labelNames(ask.selection, signal));
    case "labelValues":
      return stoppable(ask.id, (signal) => store.labelValues(ask.name, ask.selection, signal));
    case "delete":
      return store.delete(ask.selection);
    default:
      return store[ask.kind]();
  }
}

/** The next batch; undefined after the last. */
async function next(of: number): Promise<readonly Series[] | undefined> {
  const result = await running.get(of)?.batches?.next();
  if (result === undefined || result.done === true) {
    running.delete(of);
    return undefined;
  }
  return result.value;
}

async function stoppable<T>(id: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  running.set(id, { controller });
  try {
    return await work(controller.signal);
  } finally {
    running.delete(id);
  }
}

/** Columns of series are handed over, not copied; each has a buffer of its own. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: Partial<Series> | undefined) =>
    one?.times instanceof Float64Array && one.values instanceof Float64Array
      ? [one.times.buffer, one.values.buffer]
      : [],
  );
}
