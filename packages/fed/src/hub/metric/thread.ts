import { Worker } from "node:worker_threads";
import { untilAborted } from "#base/abort.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { withCompileCache } from "#disk/compile-cache.ts";
import type { RunningStore } from "#engine/tsdb/remote.ts";
import type { Pieces } from "#wire/handler.ts";
import { executionFault } from "#wire/metric.ts";
import { type Inbox, openInbox, readInbox, tell } from "./inbox.ts";
import { threadLimits } from "./setting.ts";
import type { Kept, Order, Question, Reply, Sent } from "./thread-message.ts";

/**
 * A thread that evaluates queries and writes their JSON, and reads what is sent. It asks the store's thread by a port of its own, so
 * that samples never cross the hub's. It starts when it is first needed and ends when it was idle for a while; when it fails
 * or does not give way, those who wait are told `unreachable`, and the next one gets a new thread.
 */
export interface MetricThread {
  /** Whether it runs already. */
  readonly awake: boolean;
  /** JSON in UTF-8. Whoever begins to read the pieces reads them to the end or returns early, within the time given. */
  ask(question: Question, timeoutMs: number, signal: AbortSignal): Promise<Pieces>;
  /** What lies in a buffer of its own is taken away from the caller. */
  keep(sent: Sent, tenant: string): Promise<Kept>;
  close(): Promise<void>;
}

export interface ThreadNeeds {
  store(): Promise<RunningStore>;
  readonly clock: Clock;
  readonly limits?: Partial<Record<keyof typeof threadLimits, number>> | undefined;
}

/** Somebody who waits for the thread. */
interface Task {
  take(message: Reply): void;
  fail(fault: Fault): void;
}

interface Running {
  readonly worker: Worker;
  readonly tasks: Map<number, Task>;
  /** Has ended; all who waited have been told. */
  gone: boolean;
}

const askAgain = { hint: "Ask again: the next one gets a new thread." };

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
      ...withCompileCache(),
    });
    const one: Running = { worker, tasks: new Map(), gone: false };
    worker.on("message", (message: Reply) => one.tasks.get(message.id)?.take(message));
    worker.on("error", (cause) => end(one, `the thread of queries failed: ${cause}`));
    worker.once("exit", () => end(one, "the thread of queries has ended"));
    // Its port leads nowhere any more.
    void opened.ended.then(() => end(one, "the store's thread has ended"));
    return one;
  }

  function end(one: Running, words: string): void {
    if (one.gone) return;
    one.gone = true;
    if (running === one) running = undefined;
    const fault = new Fault("unreachable", words, askAgain);
    for (const task of one.tasks.values()) task.fail(fault);
    one.tasks.clear();
    const ended = one.worker.terminate().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  function settle(one: Running, id: number): void {
    one.tasks.delete(id);
    if (one.tasks.size === 0 && one === running) {
      idle = clock.after(idleMs, () => end(one, "the thread of queries had nothing to do"));
    }
  }

  /** Asks and watches over it; returns how to leave it. */
  function begin(one: Running, id: number, question: Question, timeoutMs: number, inbox: Inbox) {
    let mercy: Timer | undefined;
    const leave = (reason: unknown) => {
      if (inbox.done || mercy !== undefined) return;
      inbox.failed ??= reason;
      one.worker.postMessage({ id, kind: "end" } satisfies Order);
      mercy = clock.after(graceMs, () => end(one, "a query did not give way, and the thread of queries was ended"));
      tell(inbox);
    };
    const late = clock.after(timeoutMs + graceMs, () => leave(new Fault("timeout", tooLate)));
    const finish = () => {
      inbox.done = true;
      late.cancel();
      mercy?.cancel();
      tell(inbox);
    };
    one.tasks.set(id, {
      take(message) {
        if (message.kind === "piece") inbox.pieces.push(message.piece);
        else if (message.kind === "fault") inbox.failed ??= faultOf(message);
        if (message.kind === "piece" && !message.last) return tell(inbox);
        finish();
        settle(one, id);
      },
      fail(fault) {
        inbox.failed ??= fault;
        finish();
      },
    });
    one.worker.postMessage({ id, kind: "ask", question } satisfies Order);
    return leave;
  }

  async function ask(question: Question, timeoutMs: number, signal: AbortSignal): Promise<Pieces> {
    signal.throwIfAborted();
    const one = await wake();
    const [id, inbox] = [nextId++, openInbox()];
    const leave = begin(one, id, question, timeoutMs, inbox);
    try {
      await untilAborted(inbox.news.promise, signal);
    } catch (thrown) {
      leave(thrown);
      throw thrown;
    }
    if (inbox.failed !== undefined) throw inbox.failed;
    if (inbox.done && inbox.pieces.length === 1) return inbox.pieces;
    const taken = () => {
      if (!inbox.done) one.worker.postMessage({ id, kind: "more" } satisfies Order);
    };
    return readInbox(inbox, taken, () => leave(new Fault("unreachable", "nobody reads the answer any more")));
  }

  async function keep(sent: Sent, tenant: string): Promise<Kept> {
    const one = await wake();
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Kept>();
    one.tasks.set(id, {
      take(message) {
        settle(one, id);
        if (message.kind === "kept") resolve(message.kept);
        else if (message.kind === "fault") reject(faultOf(message));
      },
      fail: reject,
    });
    const { bytes } = sent;
    // Copied when it lies in a buffer that others have a share in.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
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

const tooLate = "query timed out in expression evaluation";

function faultOf({ executing, code, message, hint, details }: Extract<Reply, { kind: "fault" }>): Fault {
  const fault = new Fault(code, message, { hint, details });
  return executing ? executionFault(fault) : fault;
}
