import { untilAborted } from "#base/abort.ts";
import { type Clock, type Timer, withDeadline } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { alteredSpec } from "#engine/reconcile/plan.ts";
import type { ImageStore } from "#port/image.ts";
import type { ContainerRuntime, Instance, Runtime, RuntimeEvent } from "#port/runtime.ts";
import type { Address, Reach } from "./reach.ts";

/** The container engine of one machine. */
export interface Engine {
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
}

/** An instance and where it is. */
export interface Placed {
  /** Its address is the hub's way to it. */
  readonly instance: Instance;
  readonly machine: string;
  /** Its address on its own machine. */
  readonly there: Address;
}

/** Changed by hand, it is of no spec that anybody wants, so that another one takes its place. */
export function asAltered(placed: Placed): Placed {
  const { instance } = placed;
  if (instance.altered === undefined) return placed;
  const labels = { ...instance.labels, spec: alteredSpec(instance.labels.spec) };
  return { ...placed, instance: { ...instance, labels } };
}

export type Look =
  | { readonly kind: "seen"; readonly instances: readonly Placed[] }
  /** Nobody knows; why, in words that go on after the machine's name. */
  | { readonly kind: "unseen"; readonly why: string };

/** What runs things on one machine: the hub's processes, or a container engine. */
export interface Site {
  readonly machine: string;
  /** What is there. A machine that cannot be reached holds nobody up: it is asked again aside, and the answer is at once. */
  look(signal: AbortSignal): Promise<Look>;
  /** Fault `unreachable` or `unsupported`. */
  engine(signal: AbortSignal): Promise<Engine>;
  runtime(signal: AbortSignal): Promise<Runtime>;
  /** The instance with the hub's way to it. */
  place(instance: Instance): Promise<Placed>;
  /** It is gone: nobody finds it any more. */
  forget(instance: string): void;
  /** A step there failed for this: when the machine is away nothing else is tried until it is back. */
  failed(fault: Fault): void;
  close(): Promise<void>;
}

export interface SiteNeeds {
  readonly machine: string;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly reach: Reach;
  /** Connects and asks once. Faults: `unreachable`, `denied`, `timeout`; `unsupported` where no engine answers. */
  open(signal: AbortSignal): Promise<Engine>;
  /** Whether what runs under this lab's name is this hub's. */
  isOurs(lab: string): boolean;
  onEvent(event: RuntimeEvent): void;
  /** It may have other things to tell now: it is back, or away, or some time has passed where nothing tells of changes. */
  onChange(): void;
}

/** So long somebody waits for a machine that is not connected yet. */
const firstLookMs = 3_000;
const openMs = 15_000;
const listMs = 8_000;
const longestRetryMs = 30_000;
/** Where an engine tells nothing by itself. */
const pollMs = 10_000;

const connecting: Look = { kind: "unseen", why: "it is being connected to" };

type State =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly engine: Engine; readonly stop: AbortController }
  | { readonly kind: "away"; readonly fault: Fault };

export function openSite(needs: SiteNeeds): Site {
  const { machine, clock, trace, reach } = needs;
  const closing = new AbortController();
  let state: State = { kind: "new" };
  let opening: Promise<Engine> | undefined;
  let openingMs = 0;
  let retry: Timer | undefined;
  let failures = 0;

  const isAway = () => state.kind === "away";

  function leave(fault: Fault) {
    if (closing.signal.aborted) return;
    if (state.kind !== "away") trace.warn("a machine's engine cannot be asked", { machine, reason: fault.message });
    if (state.kind === "open") {
      state.stop.abort(fault);
      void state.engine.runtime.close().catch(() => undefined);
    }
    const was = state.kind;
    state = { kind: "away", fault };
    retry?.cancel();
    retry = clock.after(Math.min(1_000 * 2 ** failures++, longestRetryMs), () => void tryAgain());
    if (was !== "away") needs.onChange();
  }

  async function tryAgain() {
    const { signal } = closing;
    await connect(signal).then(needs.onChange, () => undefined);
  }

  /** One connects for all who ask. */
  function connect(signal: AbortSignal): Promise<Engine> {
    if (state.kind === "open") return Promise.resolve(state.engine);
    if (opening === undefined) openingMs = clock.tickMs();
    opening ??= withDeadline(clock, openMs, `the engine of ${machine}`, needs.open, closing.signal)
      .then(take, (thrown) => {
        const fault = toFault(thrown);
        leave(fault);
        throw fault;
      })
      .finally(() => {
        opening = undefined;
      });
    // Who does not wait for it does not hear of its failure, which is told by the state.
    opening.catch(() => undefined);
    return untilAborted(opening, signal);
  }

  function take(engine: Engine): Engine {
    failures = 0;
    retry?.cancel();
    const stop = new AbortController();
    state = { kind: "open", engine, stop };
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    if (engine.runtime.features.events) void follow(engine.runtime, signal);
    else poll(signal);
    return engine;
  }

  async function follow(runtime: Runtime, signal: AbortSignal) {
    let why = "it tells nothing any more";
    try {
      for await (const event of runtime.watch(signal)) needs.onEvent(event);
    } catch (thrown) {
      why = toFault(thrown).message;
    }
    if (!signal.aborted) leave(new Fault("unreachable", why));
  }

  function poll(signal: AbortSignal) {
    const timer = clock.after(pollMs, () => {
      if (signal.aborted) return;
      needs.onChange();
      poll(signal);
    });
    signal.addEventListener("abort", () => timer.cancel(), { once: true });
  }

  const place = async (instance: Instance): Promise<Placed> => {
    const there = instance.address;
    const address = instance.state === "running" ? await reach.find(instance.id, there) : there;
    return { instance: { ...instance, address }, machine, there };
  };

  async function list({ runtime }: Engine, signal: AbortSignal): Promise<Look> {
    const listed = await withDeadline(clock, listMs, `a look at ${machine}`, (inner) => runtime.list(inner), signal);
    const ours = listed.filter(({ labels }) => needs.isOurs(labels.lab));
    return { kind: "seen", instances: await Promise.all(ours.map(place)) };
  }

  return {
    machine,
    place,
    async look(signal) {
      if (state.kind === "away") return { kind: "unseen", why: state.fault.message };
      const leftMs = opening === undefined ? firstLookMs : openingMs + firstLookMs - clock.tickMs();
      if (state.kind === "new" && leftMs <= 0) return connecting;
      try {
        const wait = (inner: AbortSignal) => connect(inner);
        const engine = state.kind === "open" ? state.engine : await withDeadline(clock, leftMs, machine, wait, signal);
        return await list(engine, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        const fault = toFault(thrown);
        if (opening !== undefined) return connecting;
        if (!isAway()) leave(fault);
        return { kind: "unseen", why: fault.message };
      }
    },
    engine: connect,
    runtime: async (signal) => (await connect(signal)).runtime,
    forget: reach.forget,
    failed(fault) {
      if (fault.code === "unreachable" && state.kind === "open") leave(fault);
    },
    async close() {
      closing.abort(new Error("the hub is closing"));
      retry?.cancel();
      await opening?.catch(() => undefined);
      if (state.kind === "open") await state.engine.runtime.close();
      await reach.close();
    },
  };
}

/** The hub's own processes: always there. */
export function processSite(machine: string, processes: Runtime, reach: Reach, clock: Clock): Site {
  const place = async (instance: Instance) => ({ instance, machine, there: instance.address });
  return {
    machine,
    place,
    async look(signal) {
      const ask = (inner: AbortSignal) => processes.list(inner);
      const listed = await withDeadline(clock, listMs, "a look at the processes here", ask, signal);
      return { kind: "seen", instances: await Promise.all(listed.map(place)) };
    },
    async engine() {
      throw new Fault("unsupported", `${machine} runs processes here, not containers`);
    },
    runtime: async () => processes,
    forget: reach.forget,
    failed() {},
    async close() {},
  };
}
