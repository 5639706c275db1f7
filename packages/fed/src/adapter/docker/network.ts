/** The network of a lab's environment: its containers find each other there by name. */
import { untilAborted } from "#base/abort.ts";
import { sleep } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { createAnswer, type ListedNetwork, networksAnswer, readAnswer } from "./answer.ts";
import { type Network, networkName } from "./create.ts";
import { environmentLabel, labLabel } from "./label.ts";
import { listContainers } from "./look.ts";
import { statusOf } from "./refusal.ts";
import type { State } from "./state.ts";

/** So much later than another may a network be ready that was begun at the same time. */
const twinMs = 200;

interface Place {
  readonly lab: string;
  readonly environment: string;
}

/** Makes the network when it is not there. Several who ask at once wait for one answer. */
export async function ensureNetwork(state: State, place: Place, signal: AbortSignal): Promise<Network> {
  signal.throwIfAborted();
  const name = networkName(place);
  const known = state.networks.get(name);
  const asked = known ?? findOrMake(state, place, name, state.closing.signal);
  if (known === undefined) {
    state.networks.set(name, asked);
    // Not when one of them gives up: the others still wait.
    const forget = () => void state.networks.delete(name);
    asked.then(forget, forget);
  }
  return untilAborted(asked, signal);
}

/**
 * Docker makes two networks of one name when it is asked twice at the same time, by two hubs, say, and then knows neither by its name.
 * The oldest is the one; whoever has made another one takes it back. One that was begun before may be ready after, so who made one
 * looks again in a moment.
 */
async function findOrMake(state: State, place: Place, name: string, signal: AbortSignal): Promise<Network> {
  const [found] = await listNetworks(state, name, signal);
  if (found !== undefined) return toNetwork(state, found);
  const json = {
    ...{ Name: name, CheckDuplicate: true, Driver: "bridge" },
    Labels: { [labLabel]: place.lab, [environmentLabel]: place.environment },
  };
  const what = `network ${name}`;
  let made: string | undefined;
  try {
    const answer = await state.client.json({ method: "POST", path: "/networks/create", json, what }, signal);
    made = readAnswer(state.client.name, what, createAnswer, answer).Id;
  } catch (thrown) {
    // Made by somebody else meanwhile.
    if (!isFault(thrown) || thrown.code !== "conflict") throw thrown;
  }
  if (made !== undefined && state.dialect.name === "docker") await sleep(state.clock, twinMs, signal);
  const [first] = await listNetworks(state, name, signal);
  if (first === undefined) throw new Fault("unreachable", `${state.client.name}: the network ${name} went away again`);
  if (made !== undefined && made !== first.Id) await removeNetwork(state, made, signal);
  return toNetwork(state, first);
}

/** Those of that very name, the oldest first. */
async function listNetworks(state: State, name: string, signal: AbortSignal): Promise<readonly ListedNetwork[]> {
  const { client } = state;
  const what = `network ${name}`;
  const query = { filters: JSON.stringify({ name: [name] }) };
  const answer = await client.json({ method: "GET", path: "/networks", query, what }, signal);
  const age = ({ Created, Id }: ListedNetwork) => `${Created ?? ""} ${Id}`;
  return readAnswer(client.name, what, networksAnswer, answer ?? [])
    .filter((network) => network.Name === name)
    .sort((a, b) => (age(a) < age(b) ? -1 : 1));
}

function toNetwork(state: State, { Id, Name, IPAM }: ListedNetwork): Network {
  const gateways = (IPAM?.Config ?? []).map(({ Gateway }) => Gateway?.split("/")[0] ?? "");
  const gateway = gateways.find((address) => address.includes(".")) ?? gateways.find((address) => address !== "");
  if (gateway === undefined)
    throw new Fault("unsupported", `${state.client.name}: the network ${Name} has no gateway`, {
      hint: "Remove it: fed makes it anew.",
    });
  return { id: Id, name: Name, gateway };
}

async function removeNetwork(state: State, id: string, signal: AbortSignal): Promise<void> {
  try {
    await state.client.json({ method: "DELETE", path: `/networks/${id}`, what: "removal of a network" }, signal);
  } catch (thrown) {
    // It is gone, or somebody else's container is in it.
    if (statusOf(thrown) === undefined) throw thrown;
  }
}

/** Removes the network when nobody is in it any more: an engine has a few dozen at most. */
export async function leaveNetwork(state: State, place: Place, signal: AbortSignal): Promise<void> {
  const name = networkName(place);
  if ([...state.starting.values()].includes(name)) return;
  const known = [...state.known.values()].map(({ instance }) => instance.labels);
  if (known.some(({ lab, environment }) => lab === place.lab && environment === place.environment)) return;
  const others = await listContainers(state, undefined, signal);
  const isHere = ({ Labels }: (typeof others)[number]) =>
    Labels[labLabel] === place.lab && Labels[environmentLabel] === place.environment;
  if (others.some(isHere)) return;
  for (const { Id } of await listNetworks(state, name, signal)) await removeNetwork(state, Id, signal);
}
