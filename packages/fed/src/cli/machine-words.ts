import type { WireMachine } from "#wire/machine.ts";
import { ageOf } from "./moment.ts";
import type { Style } from "./print.ts";
import { countText } from "./size.ts";

export const stateStyles: Readonly<Record<WireMachine["state"], Style>> = {
  online: "good",
  degraded: "warn",
  away: "dim",
  offline: "bad",
  unknown: "dim",
};

/** What a machine is that comes without the lab file. */
export const kindFlag = {
  kind: "choice",
  of: ["server", "workstation"],
  default: "server",
  description: "A server should always be there; a workstation may be away",
} as const;

/** `3 s ago`, `never`. */
export function seenText({ seenMs }: Pick<WireMachine, "seenMs">, nowMs: number): string {
  return seenMs === undefined ? "never" : `${ageOf(seenMs, nowMs)} ago`;
}

/** What is to be known of it at a glance, after its state: maintenance, why it is so, what is in trouble. */
export function remarksOf({ name, maintenance, hostKey, detail, tally }: WireMachine): string {
  const { units, containers, updates, storage } = tally;
  const some = (count: number | undefined, word: (count: number) => string) =>
    count === undefined || count === 0 ? [] : [word(count)];
  return [
    ...(maintenance === undefined ? [] : ["under maintenance"]),
    ...(hostKey === undefined ? [] : [`its host key has changed: fed machine trust ${name}`]),
    // Why nobody logs in to it then is long, and the same.
    ...(detail === "" || hostKey !== undefined ? [] : [detail]),
    ...some(units?.failed, (count) => `${countText(count, "unit")} failed`),
    ...some(containers?.troubled, (count) => `${countText(count, "container")} in trouble`),
    ...some(storage?.troubled, (count) => `${countText(count, "disk")} in trouble`),
    ...some(updates?.security, (count) => countText(count, "security update")),
  ].join(", ");
}

/** The data of a machine with the time it was seen as people and programs read it. */
export function withLastSeen<M extends WireMachine>(machine: M): M & { readonly lastSeen: string | null } {
  return { ...machine, lastSeen: machine.seenMs === undefined ? null : new Date(machine.seenMs).toISOString() };
}
