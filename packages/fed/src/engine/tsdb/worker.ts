/** The thread of a store: what it is asked by `remote.ts`, it does, and answers in any order. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Series } from "../series/series.ts";
import type { Ask, Start } from "./message.ts";
import { makeNamed } from "./naming.ts";
import { openTsdb, type Tsdb } from "./tsdb.ts";

interface Running {
  readonly controller: AbortController;
  readonly batches?: AsyncIterator<readonly Series[]>;
}

/** One who asks: the thread that started this one, or another that it has connected. */
interface Client {
  readonly running: Map<number, Running>;
  /** By the store, once it is open. */
  named: ReturnType<typeof makeNamed> | undefined;
}

/** Open ports keep the thread running. */
const ports = new Set<MessagePort>();

if (parentPort !== null) {
  const { folder, options } = workerData as Start;
  const opening = openTsdb(folder, { clock: systemClock, ...options });
  answer(
    parentPort,
    0,
    opening.then(() => undefined),
  );
  listen(parentPort, opening);
}

function listen(port: MessagePort, opening: Promise<Tsdb>): void {
  const client: Client = { running: new Map(), named: undefined };
  ports.add(port);
  port.on("message", (ask: Ask) => {
    if (ask.kind === "connect") return listen(ask.port, opening);
    if (ask.kind === "select") {
      const begun = opening.then((store) => begin(store, client, ask));
      const first = () => next(client, ask.id);
      for (const id of ask.first) void answer(port, id, begun.then(first));
      return;
    }
    answer(
      port,
      ask.id,
      opening.then((store) => perform(store, client, ask)),
    ).then(() => {
      if (ask.kind === "close") for (const one of ports) one.close();
    });
  });
  // Who has gone waits for nothing any more.
  port.on("close", () => {
    ports.delete(port);
    for (const of of client.running.keys()) void end(client, of);
    client.named?.close();
  });
}

function answer(port: MessagePort, id: number, work: Promise<unknown>): Promise<void> {
  return work.then(
    (value) => port.postMessage({ id, value }, buffersOf(value)),
    (thrown: unknown) => {
      const { code, message, hint, details } = toFault(thrown);
      port.postMessage({ id, fault: { code, message, hint, details } });
    },
  );
}

async function perform(
  store: Tsdb,
  client: Client,
  ask: Exclude<Ask, { kind: "connect" | "select" }>,
): Promise<unknown> {
  switch (ask.kind) {
    case "append":
    case "backfill": {
      client.named ??= makeNamed(store);
      const { labels, found, done } = client.named.read(ask.series);
      try {
        return await store[ask.kind]({ labels, found, times: ask.times, values: ask.values }, ask.tenant);
      } finally {
        done();
      }
    }
    case "next":
      return next(client, ask.of);
    case "end":
      return end(client, ask.of);
    case "series":
      return stoppable(client, ask.id, (signal) => store.series(ask.selection, signal));
    case "labelNames":
      return stoppable(client, ask.id, (signal) => store.labelNames(ask.selection, signal));
    case "labelValues":
      return stoppable(client, ask.id, (signal) => store.labelValues(ask.name, ask.selection, signal));
    case "delete":
      return store.delete(ask.selection);
    case "cardinality":
      return store.cardinality(ask.most);
    case "follow":
      return store.outbox.follow(ask.targets);
    case "parcel":
      return stoppable(client, ask.id, (signal) => store.outbox.next(ask.target, ask.form, signal));
    case "part":
      return store.outbox.part(ask.target, ask.begin, ask.end);
    case "done":
      return store.outbox.done(ask.target);
    case "backlog":
      return store.outbox.backlog();
    default:
      return store[ask.kind]();
  }
}

function begin(store: Tsdb, { running }: Client, { id, selection }: Extract<Ask, { kind: "select" }>): void {
  const controller = new AbortController();
  const batches = store.select(selection, controller.signal)[Symbol.asyncIterator]();
  running.set(id, { controller, batches });
}

/** The next batch; undefined after the last. */
async function next({ running }: Client, of: number): Promise<readonly Series[] | undefined> {
  const result = await running.get(of)?.batches?.next();
  if (result === undefined || result.done === true) {
    running.delete(of);
    return undefined;
  }
  return result.value;
}

async function end({ running }: Client, of: number): Promise<void> {
  const one = running.get(of);
  running.delete(of);
  one?.controller.abort(new Fault("internal", "nobody waits for this query any more"));
  await one?.batches?.return?.();
}

async function stoppable<T>({ running }: Client, id: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  running.set(id, { controller });
  try {
    return await work(controller.signal);
  } finally {
    running.delete(id);
  }
}

/** Columns of series, and parcels, are handed over, not copied; each has a buffer of its own. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) return [value.buffer];
  if (typeof value === "object" && value !== null && "body" in value) return buffersOf(value.body);
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: Partial<Series> | undefined) =>
    one?.times instanceof Float64Array && one.values instanceof Float64Array
      ? [one.times.buffer, one.values.buffer]
      : [],
  );
}
