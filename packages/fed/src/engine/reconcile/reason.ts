import type { DesiredService, Hold } from "./plan.ts";

type Fields = Readonly<Record<string, string>>;

/** "changed: env.LOG_LEVEL, run"; by hash when nobody remembers the old spec. */
export function changeReason(
  service: DesiredService,
  oldSpec: string,
  earlier: Readonly<Record<string, Fields>>,
): string {
  const before = earlier[oldSpec];
  if (!before) return `changed (${oldSpec.slice(0, 7)} → ${service.spec.slice(0, 7)})`;
  const names = new Set([...Object.keys(before), ...Object.keys(service.fields)]);
  const changed = [...names].filter((name) => before[name] !== service.fields[name]).sort();
  return changed.length === 0 ? "changed" : `changed: ${changed.join(", ")}`;
}

export function holdReason(hold: Hold, nowMs: number): string {
  switch (hold.kind) {
    case "backOff":
      return `waits ${Math.ceil((hold.untilMs - nowMs) / 1000)} s before the next try (${count(hold.crashes, "failure")})`;
    case "gaveUp":
      return `given up after ${count(hold.crashes, "failure")}: ${hold.last}`;
  }
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
