import { unreachable } from "#base/unreachable.ts";
import { compareText } from "#engine/graph/order.ts";
import type { DesiredService, Hold, ObservedInstance, SpecFields } from "./plan.ts";
import type { Survey } from "./survey.ts";

/** "blog" of "prod/blog". */
export function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** "blog changed: env.LOG_LEVEL, run"; by hash when nobody remembers the old spec. */
export function changeReason(
  service: DesiredService,
  oldSpec: string,
  earlier: Readonly<Record<string, SpecFields>>,
): string {
  const name = nameOf(service.key);
  const before = earlier[oldSpec];
  const changed = before ? changedFields(before, service.fields) : [];
  if (changed.length > 0) return `${name} changed: ${changed.join(", ")}`;
  return `${name} changed (${oldSpec.slice(0, 6)} → ${service.spec.slice(0, 6)})`;
}

function changedFields(before: SpecFields, after: SpecFields): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]).sort(compareText);
}

/** Why a replica is started. */
export function startReason(
  service: DesiredService,
  replica: number,
  seen: Survey,
  earlier: Readonly<Record<string, SpecFields>>,
): string {
  const sick = seen.sick.find((one) => one.replica === replica);
  if (sick) return troubleReason(sick);
  const ended = seen.exited.findLast((one) => one.spec === service.spec && one.replica === replica);
  if (ended) return troubleReason(ended);
  const known = seen.fit.length + seen.surplus.length + seen.sick.length > 0;
  const before = seen.old.at(-1) ?? (known ? undefined : seen.exited.at(-1));
  if (before && before.spec !== service.spec) return changeReason(service, before.spec, earlier);
  return replicaReason(service, seen);
}

/** Why an instance gets no more requests, or needs a replacement. */
export function troubleReason(one: ObservedInstance): string {
  const name = nameOf(one.service);
  return one.state === "exited" ? `${name} exited (${one.exit ?? "nobody saw how"})` : `${name} is unhealthy`;
}

/** "2 replicas wanted, 1 runs". */
export function replicaReason(service: DesiredService, { fit, sick, surplus }: Survey): string {
  const there = fit.length + sick.length + surplus.length;
  const runs = there === 0 ? "none runs" : there === 1 ? "1 runs" : `${there} run`;
  return `${count(service.replicas, "replica")} wanted, ${runs}`;
}

/** Why a service is not started now, without its name, in words for a note or a status. */
export function holdReason(hold: Hold, nowMs: number): string {
  switch (hold.kind) {
    case "backOff": {
      const leftS = Math.max(0, Math.ceil((hold.untilMs - nowMs) / 1_000));
      return `waits ${leftS} s before the next try (${count(hold.crashes, "failure")})`;
    }
    case "gaveUp":
      return `given up after ${count(hold.crashes, "failure")}: ${hold.last}`;
    default:
      return unreachable(hold);
  }
}

/** "1 replica", "2 replicas". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
