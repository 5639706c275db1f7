import type { WireFieldChange, WireRelease, WireRollout } from "@fed/fed/wire/release.ts";
import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { isOpen } from "../view/release.ts";

/** What is known of the releases of a service in one environment; both newest first. */
export interface ReleaseList {
  readonly releases: readonly WireRelease[];
  readonly rollouts: readonly WireRollout[];
}

/** A service in every environment that has it, in the order of the lab. Pure. */
export function placesOf(
  { environments, services }: Pick<HubStatus, "environments" | "services">,
  service: string,
): readonly ServiceStatus[] {
  const found = services.filter((one) => one.service === service);
  const order = [...new Set([...environments, ...found.map(({ environment }) => environment)])];
  return order.flatMap((environment) => found.filter((one) => one.environment === environment));
}

export function wantedOf(list: ReleaseList | undefined): WireRelease | undefined {
  return list?.releases.find(({ wanted }) => wanted);
}

/** What serves as far as it is known: while another is on its way, the one before. Pure. */
export function servingOf(list: ReleaseList | undefined): WireRelease | undefined {
  const before = list?.rollouts.find(isOpen)?.before;
  return list?.releases.find(({ id }) => id === before?.id) ?? wantedOf(list);
}

/** Why no other rollout can begin; undefined when one can. A first release that only fails again and again may be replaced. Pure. */
export function blockOf(list: ReleaseList | undefined): string | undefined {
  const open = list?.rollouts.find(isOpen);
  if (open === undefined) return undefined;
  const failing = open.state === "rolling" && open.reason !== "" && open.before === undefined;
  return failing ? undefined : "A rollout is under way: wait until it is done, or cancel it.";
}

/** Whether what serves in `from` can be taken, and why not. Pure. */
export type Promotion =
  | { readonly kind: "ready"; readonly release: WireRelease }
  | { readonly kind: "no"; readonly why: string };

export function promotionOf(
  from: string,
  source: ReleaseList | undefined,
  target: ReleaseList | undefined,
): Promotion | undefined {
  const release = wantedOf(source);
  if (source === undefined || target === undefined) return undefined;
  if (release === undefined || !release.good) return { kind: "no", why: `Nothing of it has served in ${from} yet.` };
  if (release.artifact.kind !== "image") return { kind: "no", why: "It is a process: there is no image to promote." };
  const own = wantedOf(target)?.artifact;
  if (own?.kind === "image" && own.id === release.artifact.id) {
    return { kind: "no", why: `It is made of the image that serves in ${from} already.` };
  }
  return { kind: "ready", release };
}

/** What can be gone back to, newest first. Pure. */
export function rollbackChoices(list: ReleaseList | undefined): readonly WireRelease[] {
  return (list?.releases ?? []).filter(({ good, wanted }) => good && !wanted);
}

/** Whether they say the same, but that the instances were made anew. Pure. */
export function sameContent(changes: readonly WireFieldChange[]): boolean {
  return changes.every(({ field }) => field === "restart");
}

/** What a rollback means most likely: the newest before the wanted one that says something else. `same`: of those known to say the same. Pure. */
export function likelyChoice(
  choices: readonly WireRelease[],
  wanted: WireRelease | undefined,
  same: ReadonlySet<number>,
): number | undefined {
  const earlier = choices.filter(({ number }) => wanted === undefined || number < wanted.number);
  return (earlier.find(({ number }) => !same.has(number)) ?? earlier[0] ?? choices[0])?.number;
}

/** The releases that are compared: those that the address names as far as they are kept, else the wanted one and the one before. Pure. */
export function comparedOf(
  list: ReleaseList,
  asked: { readonly from?: number | undefined; readonly to?: number | undefined },
): { readonly from: number; readonly to: number } | undefined {
  const numbers = list.releases.map(({ number }) => number);
  if (numbers.length < 2) return undefined;
  const known = (number: number | undefined) => (number !== undefined && numbers.includes(number) ? number : undefined);
  const to = known(asked.to) ?? wantedOf(list)?.number ?? Math.max(...numbers);
  const others = numbers.filter((number) => number !== to).sort((a, b) => b - a);
  const from = known(asked.from) ?? others.find((number) => number < to) ?? others[0] ?? to;
  return { from, to };
}

/** The rollout by which a release was made; undefined when it is too long ago. Pure. */
export function makerOf(list: ReleaseList, release: WireRelease): WireRollout | undefined {
  return list.rollouts.findLast((one) => one.release?.id === release.id && one.cause !== "rollback");
}

/** The release that an instance is of, by its spec; undefined for one that is gone. Pure. */
export function releaseOfSpec(list: ReleaseList | undefined, spec: string): WireRelease | undefined {
  return list?.releases.find((one) => one.spec === spec);
}
