/** What the deeds of one open process runtime share. */

import { randomInt } from "node:crypto";
import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { RuntimeEvent } from "#port/runtime.ts";
import { openCgroups } from "./cgroup.ts";
import { openPortBook, type PortRange } from "./free-port.ts";
import { sharedLook } from "./group.ts";
import type { Held, Surroundings } from "./instance.ts";
import { bootId } from "./proc.ts";

/** Events waiting for one watcher; a slower one loses the oldest. */
const watchLimit = 1_024;

export interface ProcessRuntimeOptions {
  /** Holds one folder per instance. One runtime at a time may have it open; the caller sees to that. */
  readonly folder: string;
  readonly clock: Clock;
  readonly trace: Trace;
  /** What instances get of the hub's environment, such as PATH and HOME; nothing else of it reaches them. */
  readonly inherit: Readonly<Record<string, string>>;
  /** First and last port handed out; 20000 to 29999 when left out. */
  readonly portRange?: PortRange | undefined;
  /** Called between the steps of a start. For tests that end the hub there. */
  readonly onStep?: ((step: "folder" | "spawned") => void) | undefined;
}

export type State = ReturnType<typeof makeState>;

export function makeState(options: ProcessRuntimeOptions) {
  const { clock, trace } = options;
  const closing = new AbortController();
  const held = new Map<string, Held>();
  const events = makeBroadcast<RuntimeEvent>(watchLimit);
  const range = options.portRange ?? [20_000, 29_999];
  const ports = openPortBook(range, randomInt(range[1] - range[0] + 1));
  const around: Surroundings = {
    clock,
    trace,
    look: sharedLook(),
    closing: closing.signal,
    ended(one, exit) {
      ports.release(one.record.address.port, one.record.id);
      events.send({ kind: "exited", id: one.record.id, exit });
      trimOutput(state, one);
    },
  };
  const state = {
    options,
    around,
    closing,
    held,
    events,
    ports,
    cgroups: openCgroups(),
    boot: bootId(),
    /** Ids whose start is on its way. */
    starting: new Set<string>(),
    /** What was said once and is not repeated. */
    said: new Set<string>(),
  };
  return state;
}

/** Cuts off what is too much of its output, in its own time. */
export function trimOutput(state: State, one: Held): void {
  one.output.trim().catch((error) => {
    if (!one.removed) warnOnce(state, "trim", "an instance's output cannot be cut", { id: one.record.id, error });
  });
}

/** Warns of it the first time. */
export function warnOnce(state: State, key: string, message: string, facts: Record<string, unknown>): void {
  if (state.said.has(key)) return;
  state.said.add(key);
  state.around.trace.warn(message, facts);
}

/** Nothing is begun once the runtime is closed or the signal has aborted. */
export function requireOpen(state: State, signal?: AbortSignal): void {
  state.closing.signal.throwIfAborted();
  signal?.throwIfAborted();
}
