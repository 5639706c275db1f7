import { compareText, order } from "#engine/graph/order.ts";
import { addRemove, addRetire } from "./draft.ts";
import type { Desired, DesiredService, ObservedInstance } from "./plan.ts";
import type { Scene } from "./ready.ts";

/**
 * Plans the end of services that are not wanted, or wanted with no replica: what needs a service ends before it. To be
 * called after the services that stay were planned. What is still needed by something this plan leaves running stays.
 */
export function planGone(scene: Scene, desired: Desired, instances: readonly ObservedInstance[]): void {
  const services = new Map(desired.services.map((service) => [service.key, service]));
  const stays = (key: string) => (services.get(key)?.replicas ?? 0) > 0;
  const usersOf = readUsers(desired, services, instances);
  const users = (key: string) => usersOf.get(key) ?? [];

  const gone = new Set(instances.map(({ service }) => service).filter((key) => !stays(key)));
  const staying = (one: ObservedInstance) =>
    one.unseen === true || (!gone.has(one.service) && scene.draft.stopOf(one.id) === undefined);
  for (let found = true; found; ) {
    found = false;
    for (const key of [...gone].sort(compareText)) {
      const user = services.has(key) ? undefined : users(key).find(staying);
      if (!user) continue;
      gone.delete(key);
      found = true;
      scene.draft.note(`${key} is no longer in the lab but stays: ${user.service} still runs a release that needs it`);
    }
  }
  for (const key of usersFirst(gone, (of) => users(of).map(({ service }) => service))) {
    const reason = services.has(key) ? "0 replicas wanted" : "no longer in the lab";
    const stops = users(key).flatMap(({ id }) => scene.draft.stopOf(id) ?? []);
    endService(scene, key, reason, stops);
  }
}

function endService(scene: Scene, key: string, reason: string, after: readonly string[]): void {
  const instances = scene.instancesOf(key);
  const away = instances.some(({ routed }) => routed)
    ? [scene.draft.add({ kind: "switch", service: key, spec: undefined, except: [] }, reason, after)]
    : after;
  for (const one of instances) {
    if (one.unseen) scene.draft.note(`${key}: ${one.id} cannot be seen now; it ends when it can (${reason})`);
    else if (one.state === "running") addRetire(scene.draft, one, reason, away);
    else addRemove(scene.draft, one, reason, one.routed ? away : []);
  }
}

/** What must end first comes first; services that need each other go by key. */
function usersFirst(keys: ReadonlySet<string>, usersOf: (key: string) => readonly string[]): readonly string[] {
  const nodes = Array.from(keys, (id) => ({ id, after: usersOf(id).filter((user) => keys.has(user)) }));
  const found = order(nodes);
  return found.kind === "ordered" ? found.layers.flat() : [...keys].sort(compareText);
}

/** For each key the running instances that need it, by id. */
function readUsers(
  desired: Desired,
  services: ReadonlyMap<string, DesiredService>,
  instances: readonly ObservedInstance[],
): ReadonlyMap<string, readonly ObservedInstance[]> {
  const users = new Map<string, ObservedInstance[]>();
  for (const one of instances) {
    if (one.state !== "running") continue;
    for (const need of new Set(needsOfInstance(one, services.get(one.service), desired))) {
      if (need === one.service) continue;
      const known = users.get(need);
      if (known) known.push(one);
      else users.set(need, [one]);
    }
  }
  return users;
}

/** What an instance needs: as wished, when it is of the wished spec or no other is known; else as its own spec said. */
function needsOfInstance(
  one: ObservedInstance,
  service: DesiredService | undefined,
  desired: Desired,
): readonly string[] {
  if (service?.spec === one.spec) return service.needs;
  const remembered = desired.earlier[one.spec]?.needs;
  if (remembered === undefined) return service?.replicas === 0 ? service.needs : [];
  try {
    const needs: unknown = JSON.parse(remembered);
    return Array.isArray(needs) ? needs.filter((need) => typeof need === "string") : [];
  } catch {
    return [];
  }
}
