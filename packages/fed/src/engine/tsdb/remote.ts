import { Worker } from "node:worker_threads";
import { untilAborted } from "#base/abort.ts";
import { Fault } from "#base/fault.ts";
import type { Labels } from "../series/labels.ts";
import type { Queryable, Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import type { Damage } from "./file.ts";
import type { Answer, Ask, Start } from "./message.ts";
import type { Appended, Batch, Tsdb, TsdbStats } from "./tsdb.ts";

/** A store of samples, in this thread or in one of its own. */
export type SampleStore = Queryable & Pick<Tsdb, "append" | "delete" | "maintain" | "verify" | "stats" | "close">;

/** A store in a thread of its own. */
export interface RunningStore extends SampleStore {
  /** Resolves when the thread has ended, by `close` or for a fault; nothing can be asked any more. */
  readonly ended: Promise<void>;
}

/** When so many series have been named to the thread, both sides begin anew. */
const mostNamed = 200_000;

type Unnumbered<T> = T extends { readonly id: number } ? Omit<T, "id"> : never;

/** Opens the store in a thread of its own, so that sealing and reading never keep this one waiting. */
export async function startTsdb(folder: string, options: Start["options"] = {}): Promise<RunningStore> {
  const start: Start = { folder, options };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: start });
  const store = new RemoteTsdb(worker);
  await store.opened;
  return store;
}

class RemoteTsdb implements RunningStore {
  readonly opened: Promise<unknown>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(fault: Fault): void }>();
  readonly ended: Promise<void>;
  #numbers = new WeakMap<Labels, number>();
  #named = 0;
  #anew = false;
  #nextId = 0;
  #gone: Fault | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.opened = this.#expect(this.#nextId++);
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("fault" in answer) waiting?.reject(new Fault(answer.fault.code, answer.fault.message, answer.fault));
      else waiting?.resolve(answer.value);
    });
    worker.on("error", (cause) => this.#end(new Fault("internal", `the store's thread failed: ${cause}`, { cause })));
    this.ended = new Promise((resolve) => {
      worker.once("exit", () => {
        this.#end(new Fault("internal", "the store's thread has ended"));
        resolve();
      });
    });
  }

  append({ labels, times, values }: Batch, tenant = ""): Promise<Appended> {
    if (this.#named > mostNamed) {
      this.#numbers = new WeakMap();
      this.#named = 0;
      this.#anew = true;
    }
    const named: [number, Labels][] = [];
    const rows = Uint32Array.from(labels, (one) => {
      const known = this.#numbers.get(one);
      if (known !== undefined) return known;
      const number = ++this.#named;
      this.#numbers.set(one, number);
      named.push([number, one]);
      return number;
    });
    const anew = this.#anew;
    this.#anew = false;
    return this.#ask<Appended>({ kind: "append", named, anew, rows, times, values, tenant });
  }

  async *select(selection: Selection, signal: AbortSignal): AsyncGenerator<readonly Series[]> {
    signal.throwIfAborted();
    const of = this.#nextId++;
    const asked = this.#expect(of);
    this.#worker.postMessage({ id: of, kind: "select", selection } satisfies Ask);
    let done = false;
    try {
      await untilAborted(asked, signal);
      for (;;) {
        const batch = await untilAborted(this.#ask<readonly Series[] | undefined>({ kind: "next", of }), signal);
        done = batch === undefined;
        if (batch === undefined) return;
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

  stats(): Promise<TsdbStats> {
    return this.#ask({ kind: "stats" });
  }

  async close(): Promise<void> {
    if (this.#gone === undefined) await this.#ask({ kind: "close" });
    await this.ended;
  }

  #ask<T>(ask: Unnumbered<Ask>): Promise<T> {
    const id = this.#nextId++;
    const answer = this.#expect(id);
    if (this.#gone === undefined) this.#worker.postMessage({ ...ask, id });
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
