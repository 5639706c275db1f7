/** Looks at what there is. */
import { Fault, isFault } from "#base/fault.ts";
import { type InspectedContainer, inspectAnswer, type ListedContainer, listAnswer, readAnswer } from "./answer.ts";
import { isRunning, type Seen, toSeen } from "./container.ts";
import { fromEngineLabels, idLabel } from "./label.ts";
import { statusOf } from "./refusal.ts";
import { observe, observeGone, type State } from "./state.ts";

/** Looks at single containers that are on their way at once. */
const inspectLimit = 16;

/** Our containers as the engine lists them; those of one instance when its id is given. */
export async function listContainers(
  state: State,
  id: string | undefined,
  signal: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const { client } = state;
  const label = id === undefined ? idLabel : `${idLabel}=${id}`;
  const query = { all: true, filters: JSON.stringify({ label: [label] }) };
  const what = "list of containers";
  const answer = await client.json({ method: "GET", path: "/containers/json", query, what }, signal);
  return readAnswer(client.name, what, listAnswer, answer ?? []).filter(
    ({ Labels }) => fromEngineLabels(Labels) !== undefined,
  );
}

/** Podman reads in /proc what the container's process is told of, and fails when that ends in between. */
const endedMeanwhile = /\/proc\/\d+\/\S*: no such (process|file or directory)/i;
const inspectTries = 5;

/** The container as it is; undefined when there is none. */
export async function inspectContainer(
  state: State,
  container: string,
  signal: AbortSignal,
): Promise<InspectedContainer | undefined> {
  const { client } = state;
  const what = `look at container ${container.slice(0, 12)}`;
  for (let tried = 1; ; tried++) {
    try {
      const answer = await client.json({ method: "GET", path: `/containers/${container}/json`, what }, signal);
      return readAnswer(client.name, what, inspectAnswer, answer);
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      if (tried === inspectTries || !isFault(thrown) || !endedMeanwhile.test(thrown.message)) throw thrown;
    }
  }
}

/** Looks at one container, takes in what is seen, and answers it. */
export async function lookAt(state: State, container: string, signal: AbortSignal): Promise<Seen | undefined> {
  const asked = ++state.turn;
  const found = await inspectContainer(state, container, signal);
  if (found === undefined) {
    observeGone(state, container);
    return undefined;
  }
  const seen = toSeen(found, state.starved.has(container));
  if (seen !== undefined) observe(state, seen, asked);
  return seen;
}

/** Looks at everything. What has not changed since it was seen is not looked at again. */
export async function lookAtAll(state: State, signal: AbortSignal): Promise<readonly Seen[]> {
  const before = new Set([...state.known.values()].map(({ container }) => container));
  const listed = await listContainers(state, undefined, signal);
  const seen = await eachOf(listed, inspectLimit, async (one) => {
    const known = [fromEngineLabels(one.Labels)?.id ?? ""].map((id) => state.known.get(id)).at(0);
    const running = isRunning(one.State);
    const isSame = known?.container === one.Id && (known.instance.state === "running") === running;
    if (isSame && (state.hears || !running)) return known;
    return lookAt(state, one.Id, signal);
  });
  const there = new Set(listed.map(({ Id }) => Id));
  for (const container of before) if (!there.has(container)) observeGone(state, container);
  state.hasLooked = true;
  return seen.filter((one) => one !== undefined);
}

/** The instance's container; undefined when there is none, or its start is still on its way. */
export async function findInstance(state: State, id: string, signal: AbortSignal): Promise<Seen | undefined> {
  if (state.starting.has(id)) return undefined;
  const known = state.known.get(id);
  const seen = known && (await lookAt(state, known.container, signal));
  if (seen !== undefined) return seen;
  const [found] = await listContainers(state, id, signal);
  return found && lookAt(state, found.Id, signal);
}

/** Fault `missing` when there is none. */
export async function requireInstance(state: State, id: string, signal: AbortSignal): Promise<Seen> {
  const seen = await findInstance(state, id, signal);
  if (seen === undefined) throw new Fault("missing", `there is no instance ${id}`);
  return seen;
}

/** As many at once as are allowed, in the order given. */
export async function eachOf<T, R>(
  values: readonly T[],
  limit: number,
  work: (value: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const entries = values.entries();
  const worker = async () => {
    for (const [index, value] of entries) results[index] = await work(value);
  };
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker));
  return results;
}
