import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";
import { withCompileCache } from "#disk/compile-cache.ts";
import type { Labels } from "../series/labels.ts";
import type { Queryable, Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import type { Cardinality } from "./cardinality.ts";
import type { Damage } from "./file.ts";
import type { Answer, Ask, Start } from "./message.ts";
import { makeNamer } from "./naming.ts";
import type { Outbox } from "./outbox.ts";
import type { Appended, Batch, Tsdb, TsdbStats } from "./tsdb.ts";

/** A store of samples, in this thread or in one of its own. */
export type SampleStore = Queryable &
  Pick<Tsdb, "delete" | "maintain" | "verify" | "stats" | "cardinality" | "outbox" | "close"> & {
    append(batch: Batch, tenant?: string): Promise<Appended>;
    backfill(batch: Batch, tenant?: string): Promise<Appended>;
  };

/** A store in a thread of its own. */
export interface RunningStore extends SampleStore {
  /** Resolves when the thread has ended, by `close` or for a fault; nothing can be asked any more. */
  readonly ended: Promise<void>;
  /** A way to the store for another thread: send it there as a transferred port, and open it by `joinTsdb`. */
  connect(): MessagePort;
}

/** What the thread makes is soon garbage or stays for hours. Left to itself Node keeps 60 MB more for what is young. */
const youngMb = 8;

type Unnumbered<T> = T extends { readonly id: number } ? Omit<T, "id"> : never;

/** Opens the store in a thread of its own, so that sealing and reading never keep this one waiting. */
export async function startTsdb(folder: string, options: Start["options"] = {}): Promise<RunningStore> {
  const start: Start = { folder, options };
  const resourceLimits = { maxYoungGenerationSizeMb: youngMb };
  const how = { workerData: start, resourceLimits, ...withCompileCache() };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), how);
  const store = new RemoteTsdb(worker);
  await store.opened;
  return store;
}

/** The store of another thread, by a port that `connect` has made. Closing it closes the port, and not the store. */
export function joinTsdb(port: MessagePort): SampleStore {
  return new RemoteTsdb(port);
}

class RemoteTsdb implements RunningStore {
  readonly opened: Promise<unknown>;
  readonly #door: Worker | MessagePort;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(fault: Fault): void }>();
  readonly ended: Promise<void>;
  readonly outbox: Outbox = {
    follow: (targets) => this.#ask({ kind: "follow", targets }),
    next: (target, form, signal) => this.#stoppable({ kind: "parcel", target, form }, signal),
    part: (target, begin, end) => this.#ask({ kind: "part", target, begin, end }),
    done: (target) => this.#ask({ kind: "done", target }),
    backlog: () => this.#ask({ kind: "backlog" }),
  };
  readonly #name = makeNamer();
  #nextId = 0;
  #gone: Fault | undefined;

  constructor(door: Worker | MessagePort) {
    this.#door = door;
    this.opened = this.#expect(this.#nextId++);
    door.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("fault" in answer) waiting?.reject(new Fault(answer.fault.code, answer.fault.message, answer.fault));
      else waiting?.resolve(answer.value);
    });
    door.on("error", (cause) => this.#end(new Fault("internal", `the store's thread failed: ${cause}`, { cause })));
    this.ended = new Promise((resolve) => {
      door.once(door instanceof Worker ? "exit" : "close", () => {
        this.#end(new Fault("internal", "the store's thread has ended"));
        resolve();
      });
    });
    // Nobody waits for the opening of a store that is open.
    if (!(door instanceof Worker)) this.opened.catch(() => undefined);
  }

  append(batch: Batch, tenant = ""): Promise<Appended> {
    return this.#send("append", batch, tenant);
  }

  backfill(batch: Batch, tenant = ""): Promise<Appended> {
    return this.#send("backfill", batch, tenant);
  }

  #send(kind: "append" | "backfill", { labels, times, values }: Batch, tenant: string): Promise<Appended> {
    return this.#ask<Appended>({ kind, series: this.#name(labels), times, values, tenant });
  }

  async *select(selection: Selection, signal: AbortSignal): AsyncGenerator<readonly Series[]> {
    signal.throwIfAborted();
    const of = this.#nextId++;
    // Two batches ahead: the store reads while one is worked on, and a small answer and its end come together. They are asked for
    // with the selection, because each way to the other thread and back takes a tenth of a millisecond.
    const first = [this.#nextId++, this.#nextId++];
    const coming = first.map((id) => this.#expect(id) as Promise<readonly Series[] | undefined>);
    for (const batch of coming) batch.catch(() => undefined);
    if (this.#gone === undefined)
      this.#door.postMessage({ id: of, kind: "select", selection, first } satisfies Ask, []);
    let done = false;
    const next = () => {
      const batch = this.#ask<readonly Series[] | undefined>({ kind: "next", of });
      batch.catch(() => undefined);
      return batch;
    };
    try {
      for (;;) {
        const batch = await untilAborted(coming.shift() ?? next(), signal);
        done = batch === undefined;
        if (batch === undefined) return;
        coming.push(next());
        yield batch;
      }
    } finally {
      if (!done) this.#forget(of);
    }
  }

  series(selection: Selection, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#stoppable({ kind: "series", selection }, signal);
  }

  labelNames(selection: Selection, signal: AbortSignal): Promise<readonly string[]> {
    return this.#stoppable({ kind: "labelNames", selection }, signal);
  }

  labelValues(name: string, selection: Selection, signal: AbortSignal): Promise<readonly string[]> {
    return this.#stoppable({ kind: "labelValues", selection, name }, signal);
  }

  delete(selection: Parameters<Tsdb["delete"]>[0]): Promise<void> {
    const { matchers, startMs, endMs } = selection;
    return this.#ask({ kind: "delete", selection: { matchers, startMs, endMs } });
  }

  maintain(): Promise<void> {
    return this.#ask({ kind: "maintain" });
  }

  verify(): Promise<readonly Damage[]> {
    return this.#ask({ kind: "verify" });
  }

  cardinality(most: number): Promise<Cardinality> {
    return this.#ask({ kind: "cardinality", most });
  }

  stats(): Promise<TsdbStats> {
    return this.#ask({ kind: "stats" });
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#door.postMessage({ id: this.#nextId++, kind: "connect", port: port1 } satisfies Ask, [port1]);
    return port2;
  }

  async close(): Promise<void> {
    if (!(this.#door instanceof Worker)) this.#door.close();
    else if (this.#gone === undefined) await this.#ask({ kind: "close" });
    await this.ended;
  }

  #ask<T>(ask: Unnumbered<Ask>): Promise<T> {
    const id = this.#nextId++;
    const answer = this.#expect(id);
    if (this.#gone === undefined) this.#door.postMessage({ ...ask, id }, []);
    return answer as Promise<T>;
  }

  async #stoppable<T>(ask: Unnumbered<Ask>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const id = this.#nextId;
    try {
      return await untilAborted(this.#ask<T>(ask), signal);
    } finally {
      if (signal.aborted) this.#forget(id);
    }
  }

  #forget(of: number): void {
    this.#ask({ kind: "end", of }).catch(() => {
      // Then the thread has ended, and the query with it.
    });
  }

  #expect(id: number): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #end(fault: Fault): void {
    this.#gone ??= fault;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }
}
