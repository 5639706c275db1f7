/** Starts an instance: after a failure or an abort nothing of it is left. */
import { untilAborted } from "#base/abort.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Instance, InstanceSpec } from "#port/runtime.ts";
import { createAnswer, readAnswer } from "./answer.ts";
import { toSeen } from "./container.ts";
import { type Draft, fileFolder, networkName, requirePassable } from "./create.ts";
import { engineNameOf } from "./image-find.ts";
import { inspectContainer, listContainers } from "./look.ts";
import { ensureNetwork } from "./network.ts";
import { statusOf } from "./refusal.ts";
import { noteGone, observeStart, requireOpen, type State } from "./state.ts";
import { packTar } from "./tar-write.ts";
import { ensureVolumes } from "./volume.ts";

/** To make or to start a container may take a while on a slow disk. */
const createTimeoutMs = 120_000;
/** How often a port or a network that somebody took away in between is asked for anew. */
const tryLimit = 3;

export async function startInstance(state: State, spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
  requireOpen(state, signal);
  const { id, workload } = spec;
  if (workload.kind !== "image")
    throw new Fault("unsupported", `${state.client.name} cannot run a workload of kind ${workload.kind}`, {
      hint: "Build an image of it first.",
    });
  requirePassable(spec);
  if (state.starting.has(id)) throw new Fault("conflict", `there is an instance ${id} already`);
  state.starting.set(id, networkName(spec.labels));
  // Not given up half-way: what an engine was asked to make, it makes. Whoever gives up does not have to wait for that.
  const work = begin(state, spec, workload.reference, signal).finally(() => state.starting.delete(id));
  return untilAborted(work, signal);
}

async function begin(state: State, spec: InstanceSpec, reference: string, signal: AbortSignal): Promise<Instance> {
  const { id } = spec;
  const whole = new AbortController().signal;
  if ((await listContainers(state, id, signal)).length > 0)
    throw new Fault("conflict", `there is an instance ${id} already`);
  const image = await engineNameOf(state.client, reference, signal);
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted();
    const network = await ensureNetwork(state, spec.labels, signal);
    await ensureVolumes(state, spec, signal);
    let container: string | undefined;
    try {
      container = await create(state, { spec, image, network }, whole);
      signal.throwIfAborted();
      await putFiles(state, container, spec, whole);
      await startContainer(state, container, spec, signal);
      signal.throwIfAborted();
      const found = await inspectContainer(state, container, whole);
      const seen = found && toSeen(found, state.starved.has(container));
      if (seen === undefined) throw new Fault("missing", `instance ${id} was removed while it was started`);
      state.starting.delete(id);
      observeStart(state, seen);
      return seen.instance;
    } catch (thrown) {
      if (container !== undefined) await discard(state, container, whole);
      if (signal.aborted) throw signal.reason;
      if (tried === tryLimit || !isWorthAnotherTry(spec, thrown)) throw portTaken(spec, thrown) ?? thrown;
    }
  }
}

const inUse = /address already in use|port is already allocated/i;

/** In words, what an engine says of a port of the machine that somebody else has. */
function portTaken({ container }: InstanceSpec, thrown: unknown): Fault | undefined {
  const hostPort = container?.hostPort;
  if (hostPort === undefined || !isFault(thrown) || !inUse.test(thrown.message)) return undefined;
  if (!new RegExp(`\\b${hostPort}\\b`).test(thrown.message)) return undefined;
  return new Fault("conflict", `port ${hostPort} of the machine is taken by something else`, {
    hint: `\`ss -ltnp "sport = :${hostPort}"\` there shows by what. End that, or give the service another hostPort.`,
    cause: thrown,
  });
}

/** A free port may be taken before it is used, a network removed with the last that was in it. */
function isWorthAnotherTry(spec: InstanceSpec, thrown: unknown): boolean {
  if (!isFault(thrown)) return false;
  const fixed = spec.port !== undefined || spec.container?.hostPort !== undefined;
  if (/network .*not found/i.test(thrown.message)) return true;
  return !fixed && inUse.test(thrown.message);
}

async function create(state: State, draft: Draft, signal: AbortSignal): Promise<string> {
  const { client, dialect, trace } = state;
  const what = `container of instance ${draft.spec.id}`;
  const { path, query, body } = dialect.create(draft);
  const request = { method: "POST", path, json: body, what, timeoutMs: createTimeoutMs, ...(query ? { query } : {}) };
  const answer = await client.json({ ...request, method: "POST" }, signal);
  const { Id, Warnings } = readAnswer(client.name, what, createAnswer, answer);
  for (const warning of Warnings ?? [])
    trace.warn(`${client.name} warns of an instance`, { id: draft.spec.id, warning });
  return Id;
}

/** Below the container's own root: seen by it and by the machine's root alone, and gone with it. */
async function putFiles(state: State, container: string, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const files = Object.values(spec.files ?? {});
  if (files.length === 0) return;
  const changedMs = state.clock.nowMs();
  const bytes = packTar(
    files.map(({ name, content }) => ({
      // Readable by any user inside: an image may run as whom it likes.
      ...{ name: `${fileFolder}/${name}`, mode: 0o444, changedMs },
      content: Buffer.from(content),
    })),
  );
  const path = `/containers/${container}/archive`;
  const what = `files of instance ${spec.id}`;
  await state.client.json({ method: "PUT", path, query: { path: "/" }, bytes, what }, signal);
}

async function startContainer(
  state: State,
  container: string,
  { id }: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  const path = `/containers/${container}/start`;
  await state.client.json({ method: "POST", path, what: `start of ${id}`, timeoutMs: createTimeoutMs }, signal);
}

/** Removes what was not started; what cannot be removed now is found by the next list as ended. */
async function discard(state: State, container: string, signal: AbortSignal): Promise<void> {
  try {
    const path = `/containers/${container}`;
    const query = { force: true, v: true };
    await state.client.json({ method: "DELETE", path, query, what: "removal of what was not started" }, signal);
    noteGone(state, container);
  } catch (thrown) {
    if (statusOf(thrown) === 404) return;
    state.trace.warn("a container that could not be started could not be removed either", { container, error: thrown });
  }
}
