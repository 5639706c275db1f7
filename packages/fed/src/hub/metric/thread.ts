import { Worker } from "node:worker_threads";
import { untilAborted } from "#base/abort.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { RunningStore } from "#engine/tsdb/remote.ts";
import type { Pieces } from "#wire/handler.ts";
import { executionFault } from "#wire/metric.ts";
import type { Sent } from "./keep.ts";
import { threadLimits } from "./setting.ts";
import type { Kept, Order, Question, Reply } from "./thread-message.ts";

/**
 * A thread that evaluates queries and writes their JSON, and reads what is sent. It asks the store's thread by a port of its own, so
 * that samples never cross the hub's. It starts when it is first needed and ends when it was idle for a while; when it fails
 * or does not give way, those who wait are told `unreachable`, and the next one gets a new thread.
 */
export interface MetricThread {
  /** Whether it runs already. */
  readonly awake: boolean;
  ask(question: Question, timeoutMs: number, signal: AbortSignal): Promise<Pieces>;
  keep(sent: Sent, tenant: string): Promise<Kept>;
  close(): Promise<void>;
}

export interface ThreadNeeds {
  store(): Promise<RunningStore>;
  readonly clock: Clock;
  readonly limits?: Partial<typeof threadLimits> | undefined;
}

interface Task {
  take(message: Reply): void;
  fail(fault: Fault): void;
}

interface Running {
  readonly worker: Worker;
  readonly tasks: Map<number, Task>;
  /** Has ended; all who wait have been told. */
  gone: boolean;
}

export function openThread({ store, clock, limits }: ThreadNeeds): MetricThread {
  const { idleMs, graceMs, heapMb } = { ...threadLimits, ...limits };
  let running: Running | undefined;
  let idle: Timer | undefined;
  let nextId = 0;
  const ending = new Set<Promise<unknown>>();

  async function wake(): Promise<Running> {
    const opened = await store();
    idle?.cancel();
    running ??= start(opened);
    return running;
  }

  function start(opened: RunningStore): Running {
    const door = opened.connect();
    const worker = new Worker(new URL("./thread-worker.ts", import.meta.url), {
      workerData: { store: door },
      transferList: [door],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    const one: Running = { worker, tasks: new Map(), gone: false };
    worker.on("message", (message: Reply) => one.tasks.get(message.id)?.take(message));
    worker.on("error", (cause) => end(one, "the thread of queries failed", cause));
    worker.once("exit", () => end(one, "the thread of queries has ended"));
    // Its port to the store leads nowhere any more.
    void opened.ended.then(() => end(one, "the store's thread has ended"));
    return one;
  }

  function end(one: Running, words: string, cause?: unknown): void {
    if (one.gone) return;
    one.gone = true;
    if (running === one) running = undefined;
    const fault = new Fault("unreachable", words, { hint: "Ask again: the next one gets a new thread.", cause });
    for (const task of one.tasks.values()) task.fail(fault);
    one.tasks.clear();
    const ended = one.worker.terminate().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  function add(one: Running, id: number, task: Task): void {
    one.tasks.set(id, task);
  }

  function settle(one: Running, id: number): void {
    one.tasks.delete(id);
    if (one.tasks.size > 0 || one !== running) return;
    idle = clock.after(idleMs, () => end(one, "the thread of queries had nothing to do"));
  }

  async function ask(question: Question, timeoutMs: number, signal: AbortSignal): Promise<Pieces> {
    signal.throwIfAborted();
    const one = await wake();
    const id = nextId++;
    const post = (order: Order) => one.worker.postMessage(order);
    const pieces: Uint8Array[] = [];
    let [done, failed, news]: [boolean, unknown, PromiseWithResolvers<void>] = [
      false,
      undefined,
      Promise.withResolvers<void>(),
    ];
    let mercy: Timer | undefined;
    const tell = () => {
      news.resolve();
      news = Promise.withResolvers<void>();
    };
    const finish = () => {
      done = true;
      late.cancel();
      mercy?.cancel();
    };
    /** Whoever asked has gone: the thread has little time to see that. */
    const leave = (reason: unknown) => {
      if (done || mercy !== undefined) return;
      failed ??= reason;
      post({ id, kind: "end" });
      mercy = clock.after(graceMs, () => end(one, "a query did not end in time, and the thread of queries was ended"));
      tell();
    };
    const late = clock.after(timeoutMs + graceMs, () =>
      leave(new Fault("timeout", "query timed out in expression evaluation")),
    );
    add(one, id, {
      take(message) {
        if (message.kind === "piece") pieces.push(message.piece);
        else if (message.kind === "fault") failed ??= faultOf(message);
        if (message.kind !== "piece" || message.last) {
          finish();
          settle(one, id);
        }
        tell();
      },
      fail(fault) {
        failed ??= fault;
        finish();
        tell();
      },
    });
    async function* read(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          while (pieces.length === 0 && !done && failed === undefined) await news.promise;
          if (failed !== undefined) throw failed;
          const piece = pieces.shift();
          if (piece === undefined) return;
          if (!done) post({ id, kind: "more" });
          yield piece;
        }
      } finally {
        leave(new Fault("unreachable", "the caller has gone"));
      }
    }
    post({ id, kind: "ask", question });
    try {
      await untilAborted(news.promise, signal);
    } catch (thrown) {
      leave(thrown);
      throw thrown;
    }
    if (failed !== undefined) throw failed;
    const [first] = pieces;
    return done && pieces.length === 1 && first !== undefined ? [first] : read();
  }

  async function keep(sent: Sent, tenant: string): Promise<Kept> {
    const one = await wake();
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Kept>();
    add(one, id, {
      take(message) {
        settle(one, id);
        if (message.kind === "kept") resolve(message.kept);
        else if (message.kind === "fault") reject(faultOf(message));
      },
      fail: reject,
    });
    // Copied when it lies in a buffer that others have a share in.
    const { bytes } = sent;
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    one.worker.postMessage({ id, kind: "keep", sent: { ...sent, bytes: own }, tenant } satisfies Order, [own.buffer]);
    return await promise;
  }

  return {
    get awake() {
      return running !== undefined;
    },
    ask,
    keep,
    async close() {
      idle?.cancel();
      if (running !== undefined) end(running, "the metrics are closed: the hub stops");
      await Promise.all(ending);
    },
  };
}

function faultOf({ executing, code, message, hint, details }: Extract<Reply, { kind: "fault" }>): Fault {
  const fault = new Fault(code, message, { hint, details });
  return executing ? executionFault(fault) : fault;
}
