import { unreachable } from "#base/unreachable.ts";
import { compareText } from "#engine/graph/order.ts";
import { alteredSpec, type DesiredService, type Hold, type ObservedInstance, type SpecFields } from "./plan.ts";
import type { Survey } from "./survey.ts";

/** "blog" of "prod/blog". */
export function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** What reasons may draw on. */
interface Known {
  readonly earlier: Readonly<Record<string, SpecFields>>;
  readonly draft: { short(spec: string): string };
}

/** "blog changed: env.LOG_LEVEL, run"; by hash when nobody remembers the old spec. */
export function changeReason({ earlier, draft }: Known, service: DesiredService, oldSpec: string): string {
  const name = nameOf(service.key);
  if (oldSpec === alteredSpec(service.spec)) return `somebody has changed ${name} by hand`;
  const before = earlier[oldSpec];
  const changed = before ? changedFields(before, service.fields) : [];
  if (changed.length === 1 && changed[0] === "restart") return `a restart of ${name} was asked for`;
  if (changed.length > 0) return `${name} changed: ${changed.join(", ")}`;
  return `${name} changed (${draft.short(oldSpec)} → ${draft.short(service.spec)})`;
}

function changedFields(before: SpecFields, after: SpecFields): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  // What it needs is told of earlier ones alone where instances do not see it.
  const isTold = (name: string) => name !== "needs" || (before.needs !== undefined && after.needs !== undefined);
  return [...names].filter((name) => isTold(name) && before[name] !== after[name]).sort(compareText);
}

/** Why a replica is started. */
export function startReason(known: Known, service: DesiredService, replica: number, seen: Survey): string {
  const sick = seen.sick.find((one) => one.replica === replica);
  if (sick) return troubleReason(sick);
  const ended = seen.exited.findLast((one) => one.spec === service.spec && one.replica === replica);
  if (ended) return troubleReason(ended);
  const there = seen.fit.length + seen.surplus.length + seen.sick.length;
  const before =
    seen.old.find(({ routed }) => routed) ?? seen.old.at(-1) ?? (there > 0 ? undefined : seen.exited.at(-1));
  if (before && before.spec !== service.spec) return changeReason(known, service, before.spec);
  return there < service.replicas ? replicaReason(service, there) : `replica ${replica} is missing`;
}

/** Why an instance gets no more requests, or needs a replacement. */
export function troubleReason(one: ObservedInstance): string {
  const name = nameOf(one.service);
  if (one.state === "exited") return `${name} exited (${one.exit ?? "nobody saw how"})`;
  return one.stopping ? `${name} was told to stop` : `${name} is unhealthy`;
}

/** Why a replica ends. */
export function surplusReason(service: DesiredService, { fit, sick, surplus }: Survey): string {
  const there = fit.length + sick.length + surplus.length;
  return there > service.replicas ? replicaReason(service, there) : "another replica takes its place";
}

/** "2 replicas wanted, 1 runs". */
function replicaReason(service: DesiredService, there: number): string {
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
    case "waits":
    case "unseen":
      return hold.why;
    default:
      return unreachable(hold);
  }
}

/** "1 replica", "2 replicas". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
