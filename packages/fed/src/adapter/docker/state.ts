/** What the deeds of one open runtime share, and what it knows of its instances. */
import { type Broadcast, makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { Instance, RuntimeEvent } from "#port/runtime.ts";
import type { EngineClient } from "./client.ts";
import type { Seen } from "./container.ts";
import type { Network } from "./create.ts";
import type { Dialect } from "./dialect.ts";

/** Events waiting for one watcher; a slower one loses the oldest. */
const watchLimit = 1_024;
/** Containers that were removed and are remembered as such, so that an answer from before does not bring them back. */
const goneLimit = 10_000;

/** What was seen last, and the turn in which that was answered. */
export interface Known extends Seen {
  readonly answered: number;
}

export interface State {
  readonly client: EngineClient;
  readonly dialect: Dialect;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly closing: AbortController;
  readonly events: Broadcast<RuntimeEvent>;
  /** By id. */
  readonly known: Map<string, Known>;
  /** Engine's ids of what was removed, with the turn in which that was known. */
  readonly gone: Map<string, number>;
  /** How many looks at single containers were begun: what was asked after an answer is newer than that answer. */
  turn: number;
  /** Ids whose start is on its way, with the network they will be in: nobody sees them before. */
  readonly starting: Map<string, string>;
  /** Networks that are looked for or made now, by name. */
  readonly networks: Map<string, Promise<Network>>;
  /** Engine's ids of containers in which the kernel has ended something for want of memory. */
  readonly starved: Set<string>;
  /** Commands inside that took too long and may still run, by engine's id of the container. */
  readonly left: Map<string, string>;
  /** Stops that wait, by engine's id: only the first asks. */
  readonly askers: Map<string, number>;
  /** Called when an instance is known to have ended, by engine's id. */
  readonly enders: Map<string, Set<() => void>>;
  /** All that there is was seen once: what comes now is news. */
  hasLooked: boolean;
  /** The engine tells of changes now, so that what is known of a running container is still so. */
  hears: boolean;
  listens: boolean;
}

export function makeState(given: Pick<State, "client" | "dialect" | "clock" | "trace">): State {
  return {
    ...given,
    closing: new AbortController(),
    events: makeBroadcast<RuntimeEvent>(watchLimit),
    known: new Map(),
    gone: new Map(),
    starting: new Map(),
    networks: new Map(),
    starved: new Set(),
    left: new Map(),
    askers: new Map(),
    enders: new Map(),
    ...{ turn: 0, hasLooked: false, hears: false, listens: false },
  };
}

/** Nothing is begun once the runtime is closed or the signal has aborted. */
export function requireOpen(state: State, signal?: AbortSignal): void {
  state.closing.signal.throwIfAborted();
  signal?.throwIfAborted();
}

/**
 * Takes in what was seen of an instance, and tells what is new; `asked`: the turn of the question. Answers may come late: an ended instance
 * does not run again unless it was started anew, and a removed one does not come back, but for an engine that was asked since and says so.
 */
export function observe(state: State, seen: Seen, asked: number): void {
  const { container, instance } = seen;
  if (state.starting.has(instance.id)) return;
  const goneAt = state.gone.get(container);
  if (goneAt !== undefined && (instance.state === "exited" || asked <= goneAt)) return;
  state.gone.delete(container);
  const before = state.known.get(instance.id);
  const last = before?.container === container ? before : undefined;
  const same = last?.instance;
  if (last !== undefined && asked <= last.answered && isOlder(instance, last.instance)) return;
  const altered = isAltered(seen, last);
  const { turn: answered } = state;
  state.known.set(instance.id, { ...seen, ...(altered && { instance: { ...instance, altered } }), answered });
  if (altered && same?.altered === undefined) send(state, { kind: "altered", id: instance.id });
  const isNew = same === undefined || same.startedMs !== instance.startedMs;
  const wasRunning = same !== undefined && same.state === "running";
  if (instance.state === "running" && isNew && state.hasLooked) send(state, { kind: "started", id: instance.id });
  if (instance.exit === undefined) return;
  if (wasRunning || (isNew && state.hasLooked)) send(state, { kind: "exited", id: instance.id, exit: instance.exit });
  for (const wake of [...(state.enders.get(container) ?? [])]) wake();
}

/** Calls once it is known that the container has ended, at once when it is known already. Answers what takes that back. */
export function onEnd(state: State, container: string, wake: () => void): () => void {
  const enders = state.enders.get(container) ?? new Set();
  state.enders.set(container, enders.add(wake));
  const isOver = [...state.known.values()].some(
    (one) => one.container === container && one.instance.state === "exited",
  );
  if (isOver || state.gone.has(container)) wake();
  return () => {
    enders.delete(wake);
    if (enders.size === 0) state.enders.delete(container);
  };
}

/** Once it was, it stays so, whatever is made of it: nobody knows what else was done to it. */
function isAltered({ instance, limits }: Seen, before: Seen | undefined): true | undefined {
  if (instance.state === "exited" || before === undefined) return undefined;
  return before.instance.altered ?? (before.limits === limits ? undefined : true);
}

function isOlder(instance: Instance, known: Instance): boolean {
  if (instance.startedMs !== known.startedMs) return instance.startedMs < known.startedMs;
  return instance.state === "running" && known.state === "exited";
}

/** What our own start has made: news in any case. */
export function observeStart(state: State, seen: Seen): void {
  const { id } = seen.instance;
  const { turn } = state;
  state.known.set(id, { ...seen, instance: { ...seen.instance, state: "running" }, answered: turn });
  send(state, { kind: "started", id });
  observe(state, seen, turn);
}

/** So that an answer from before does not bring it back. */
export function noteGone(state: State, container: string): void {
  state.gone.set(container, state.turn);
  for (const oldest of state.gone.keys()) {
    if (state.gone.size <= goneLimit) break;
    state.gone.delete(oldest);
  }
}

/** A container is not there any more. */
export function observeGone(state: State, container: string): void {
  if (state.gone.has(container)) return;
  noteGone(state, container);
  state.starved.delete(container);
  state.left.delete(container);
  const [id, seen] = [...state.known].find(([, one]) => one.container === container) ?? [];
  if (id === undefined || seen === undefined) return;
  state.known.delete(id);
  if (seen.instance.state === "running") send(state, { kind: "exited", id, exit: { atMs: state.clock.nowMs() } });
  send(state, { kind: "removed", id });
  for (const wake of [...(state.enders.get(container) ?? [])]) wake();
}

function send(state: State, event: RuntimeEvent): void {
  state.events.send(event);
}
