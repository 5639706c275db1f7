/** Ends an instance, and removes it. */
import { childController, untilAborted } from "#base/abort.ts";
import { sleep } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Seen } from "./container.ts";
import { findInstance, lookAt } from "./look.ts";
import { leaveNetwork } from "./network.ts";
import { statusOf } from "./refusal.ts";
import { observeGone, onEnd, type State } from "./state.ts";

/** How long the kernel may take to end what was sent SIGKILL. */
const killLimitMs = 10_000;
/** An engine's own long wait is begun anew after this. */
const waitLimitMs = 24 * 3_600_000;

/** The image's own signal, grace, SIGKILL. Any number may ask at once; each grants its own grace. */
export async function stopInstance(state: State, id: string, graceMs: number, signal: AbortSignal): Promise<void> {
  const seen = await findInstance(state, id, signal);
  if (seen === undefined || seen.instance.state === "exited") return;
  const { container, stopSignal } = seen;
  const askers = state.askers.get(container) ?? 0;
  state.askers.set(container, askers + 1);
  const { controller, release } = childController(signal);
  try {
    const ended = untilEnded(state, container, controller.signal);
    // Heard below in any case, but perhaps only after the engine has answered.
    ended.catch(() => {});
    // A second one may mean "at once" to it.
    if (askers === 0) await sendSignal(state, seen, stopSignal, signal);
    if (!(await endsWithin(state, ended, graceMs, signal))) {
      await sendSignal(state, seen, "SIGKILL", signal);
      if (!(await endsWithin(state, ended, killLimitMs, signal)))
        throw new Fault("timeout", `instance ${id} still runs ${killLimitMs} ms after it was killed`, {
          hint: "It probably waits for a disk or a network file system that does not answer.",
        });
    }
  } finally {
    controller.abort();
    release();
    const left = (state.askers.get(container) ?? 1) - 1;
    if (left === 0) state.askers.delete(container);
    else state.askers.set(container, left);
  }
  await lookAt(state, container, signal);
}

async function sendSignal(state: State, seen: Seen, name: string, signal: AbortSignal): Promise<void> {
  const path = `/containers/${seen.container}/kill`;
  const what = `${name} to ${seen.instance.id}`;
  try {
    await state.client.json({ method: "POST", path, query: { signal: name }, what }, signal);
  } catch (thrown) {
    // Somebody has paused it, and so it hears nothing. Once it goes on it is asked again.
    if (isFault(thrown) && /\bis paused\b/.test(thrown.message)) {
      await resume(state, seen, signal);
      return sendSignal(state, seen, name, signal);
    }
    // It has ended, or is gone.
    if (!isFault(thrown) || (thrown.code !== "conflict" && statusOf(thrown) !== 404)) throw thrown;
  }
}

async function resume(state: State, { container, instance }: Seen, signal: AbortSignal): Promise<void> {
  const path = `/containers/${container}/unpause`;
  await state.client.json({ method: "POST", path, what: `resumption of ${instance.id}` }, signal);
}

/** When the engine says so in its answer to a long wait, or among its events, whichever is first. */
async function untilEnded(state: State, container: string, signal: AbortSignal): Promise<void> {
  const told = Promise.withResolvers<void>();
  const forget = onEnd(state, container, told.resolve);
  const path = `/containers/${container}/wait`;
  const query = { condition: "not-running", interval: "50ms" };
  const request = { method: "POST", path, query, what: "wait for an end", timeoutMs: waitLimitMs } as const;
  try {
    const answered = state.client.json(request, signal).catch((thrown: unknown) => {
      if (statusOf(thrown) !== 404) throw thrown;
    });
    await untilAborted(Promise.race([told.promise, answered]), signal);
  } finally {
    forget();
  }
}

async function endsWithin(state: State, ended: Promise<void>, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const { controller, release } = childController(signal);
  const late = sleep(state.clock, limitMs, controller.signal).then(() => false);
  late.catch(() => {});
  try {
    return await untilAborted(Promise.race([ended.then(() => true), late]), signal);
  } finally {
    controller.abort();
    release();
  }
}

export async function removeInstance(state: State, id: string, signal: AbortSignal): Promise<void> {
  if (state.starting.has(id)) throw stillRuns(id);
  const seen = await findInstance(state, id, signal);
  if (seen === undefined) return;
  if (seen.instance.state === "running") throw stillRuns(id);
  const path = `/containers/${seen.container}`;
  try {
    // With volumes that have no name: nobody could find them again.
    await state.client.json({ method: "DELETE", path, query: { v: true }, what: `removal of ${id}` }, signal);
  } catch (thrown) {
    if (statusOf(thrown) !== 404 && !isBeingRemoved(thrown)) throw thrown;
  }
  observeGone(state, seen.container);
  await leaveNetwork(state, seen.instance.labels, signal);
}

const isBeingRemoved = (thrown: unknown) => isFault(thrown) && /already in progress/.test(thrown.message);

const stillRuns = (id: string) => new Fault("conflict", `instance ${id} still runs`, { hint: "Stop it first." });
