/** One instance as this hub knows it: when it counts as ended, and how it is made to end. */

import type { FSWatcher } from "node:fs";
import type { Clock } from "#base/clock.ts";
import { sleep } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Exit, Instance } from "#port/runtime.ts";
import { killCgroup, ranOutOfMemory, removeCgroup } from "./cgroup.ts";
import { isLaunched, membersOf, signalMembers } from "./group.ts";
import type { Output } from "./output.ts";
import { isAlive, type ProcessMark, type ProcessRow } from "./proc.ts";
import { type InstanceRecord, readExit, removeFiles, writeExit } from "./record.ts";

/** How long processes that outlive the command are left to end by themselves (they were sent SIGTERM). */
const lingerMs = 5_000;
/** How long a wrapper may take to become ready and run its command. */
const launchLimitMs = 1_000;
/** How long the kernel may take to end what was sent SIGKILL. */
const killLimitMs = 10_000;

export interface Held {
  readonly record: InstanceRecord;
  readonly folder: string;
  readonly output: Output;
  leader: ProcessMark | undefined;
  /** Set: nothing of it runs any more. */
  exit: Exit | undefined;
  removed: boolean;
  /** How the wrapper ended, seen as its parent: tells what the wrapper could not write down. */
  wrapperExit: Exit | undefined;
  /** SIGKILL was sent. */
  forced: boolean;
  /** Stops that wait for it now. */
  askers: number;
  /** Tick until which some stop grants it time. */
  patienceMs: number;
  settling: Promise<void> | undefined;
  watcher: FSWatcher | undefined;
  /** Called once when it has ended, or when this hub lets go of it. */
  readonly enders: Set<() => void>;
}

/** What the deeds on an instance need. */
export interface Surroundings {
  readonly clock: Clock;
  readonly trace: Trace;
  look(): Promise<readonly ProcessRow[]>;
  /** Aborts when the runtime is closed. */
  readonly closing: AbortSignal;
  ended(held: Held, exit: Exit): void;
}

export function holdInstance(
  record: InstanceRecord,
  folder: string,
  output: Output,
  leader: ProcessMark | undefined,
): Held {
  return {
    record,
    folder,
    output,
    leader,
    exit: undefined,
    removed: false,
    wrapperExit: undefined,
    forced: false,
    askers: 0,
    patienceMs: 0,
    settling: undefined,
    watcher: undefined,
    enders: new Set(),
  };
}

export function toInstance(held: Held): Instance {
  const { id, labels, address, startedMs } = held.record;
  const state = held.exit ? "exited" : "running";
  return { id, labels, state, address, startedMs, pid: held.exit ? undefined : held.leader?.pid, exit: held.exit };
}

/**
 * Looks whether the instance has ended, and notes it if so. Called when there is reason to think it may have. When its
 * command has ended but others of it have not, stays on until they have: they get time, then SIGKILL.
 */
export function settle(around: Surroundings, held: Held): Promise<void> {
  held.settling ??= settleOnce(around, held)
    .catch((error) => {
      if (!around.closing.aborted)
        around.trace.error("an instance's end could not be noted", { id: held.record.id, error });
    })
    .finally(() => {
      held.settling = undefined;
    });
  return held.settling;
}

async function settleOnce(around: Surroundings, held: Held): Promise<void> {
  const { clock, closing } = around;
  const sinceMs = clock.tickMs();
  for (let stepMs = 5; held.exit === undefined; stepMs = Math.min(stepMs * 2, 250)) {
    const members = await findMembers(around, held);
    if (closing.aborted || held.exit !== undefined) return;
    const written = readExit(held.folder);
    if (members.length === 0) return finish(around, held, written);
    // The wrapper lives, or was killed alone: then the command runs on, and is what counts.
    if (written === undefined) {
      if (held.leader === undefined || !isAlive(held.leader)) held.wrapperExit = undefined;
      return;
    }
    const nowMs = clock.tickMs();
    if (nowMs - sinceMs > lingerMs && nowMs > held.patienceMs) signalMembers(held.leader, members, "SIGKILL");
    await sleep(clock, stepMs, closing);
  }
}

function finish(around: Surroundings, held: Held, written: Exit | undefined): void {
  const atMs = around.clock.nowMs();
  const { cgroup, id } = held.record;
  const seen: Exit = held.forced ? { signal: "SIGKILL", atMs } : (held.wrapperExit ?? { atMs });
  const starved = cgroup !== undefined && ranOutOfMemory(cgroup);
  const exit: Exit = starved ? { signal: "SIGKILL", reason: "memory", atMs } : (written ?? seen);
  held.exit = exit;
  held.watcher?.close();
  if (cgroup !== undefined) removeCgroup(cgroup);
  try {
    if (written === undefined || starved) writeExit(held.folder, exit);
  } catch (error) {
    around.trace.warn("an instance's end could not be written down", { id, error });
  }
  removeFiles(held.folder);
  around.ended(held, exit);
  letGo(held);
}

/** Wakes whoever waits for the instance's end. */
export function letGo(held: Held): void {
  for (const end of [...held.enders]) end();
}

/** SIGTERM, grace, SIGKILL, until nothing of it is left. Any number may ask at once; each grants its own grace. */
export async function stopInstance(
  around: Surroundings,
  held: Held,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = around;
  const untilMs = clock.tickMs() + graceMs;
  held.patienceMs = Math.max(held.patienceMs, untilMs);
  held.askers += 1;
  try {
    if (held.askers === 1) await askToEnd(around, held, signal);
    for (let stepMs = 20; clock.tickMs() < untilMs; stepMs = Math.min(stepMs * 2, 250)) {
      if (await waitForEnd(clock, held, Math.min(stepMs, untilMs - clock.tickMs()), signal)) return;
      around.closing.throwIfAborted();
      if (held.leader === undefined || !isAlive(held.leader)) void settle(around, held);
    }
    await forceInstance(around, held, signal);
  } finally {
    held.askers -= 1;
  }
}

/** SIGTERM to all of it, once there is a command to hear it. */
async function askToEnd(around: Surroundings, held: Held, signal: AbortSignal): Promise<void> {
  const { clock } = around;
  const untilMs = clock.tickMs() + launchLimitMs;
  for (;;) {
    const members = await findMembers(around, held);
    const launched = isLaunched(held.leader, members) || readExit(held.folder) !== undefined;
    if (launched || clock.tickMs() >= untilMs) {
      signalMembers(held.leader, members, "SIGTERM");
      return;
    }
    if (await waitForEnd(clock, held, 5, signal)) return;
  }
}

async function forceInstance(around: Surroundings, held: Held, signal: AbortSignal): Promise<void> {
  const { clock } = around;
  const { cgroup, id } = held.record;
  const untilMs = clock.tickMs() + killLimitMs;
  let denied: readonly number[] = [];
  for (let stepMs = 10; clock.tickMs() < untilMs; stepMs = Math.min(stepMs * 2, 250)) {
    signal.throwIfAborted();
    around.closing.throwIfAborted();
    if (held.exit !== undefined) return;
    held.forced = true;
    if (cgroup !== undefined) killCgroup(cgroup);
    denied = signalMembers(held.leader, await findMembers(around, held), "SIGKILL");
    if (await waitForEnd(clock, held, stepMs, signal)) return;
    void settle(around, held);
  }
  if (denied.length > 0)
    throw new Fault(
      "denied",
      `instance ${id} cannot be ended: its processes ${denied.join(", ")} belong to another user`,
      {
        hint: "End them as that user, or as root.",
      },
    );
  throw new Fault("timeout", `instance ${id} still runs ${killLimitMs} ms after it was killed`, {
    hint: "It probably waits for a disk or a network file system that does not answer.",
  });
}

export async function findMembers(around: Surroundings, held: Held): Promise<readonly ProcessRow[]> {
  const group = { id: held.record.id, leader: held.leader, outputPath: held.output.path };
  return membersOf(group, await around.look());
}

/** Whether it ended within the time; false when the time is over, or this hub lets go of it. */
function waitForEnd(clock: Clock, held: Held, limitMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (held.exit !== undefined) return resolve(true);
    if (signal.aborted) return reject(signal.reason);
    const done = () => {
      timer.cancel();
      held.enders.delete(done);
      signal.removeEventListener("abort", done);
      if (held.exit !== undefined || !signal.aborted) resolve(held.exit !== undefined);
      else reject(signal.reason);
    };
    const timer = clock.after(limitMs, done);
    held.enders.add(done);
    signal.addEventListener("abort", done, { once: true });
  });
}
