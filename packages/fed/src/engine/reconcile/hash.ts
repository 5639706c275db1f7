import type { Observed } from "./plan.ts";

/** Identity of what was seen: which instances there are, what they are, whether they run and are routed. Not their health, which breathes. */
export function observedHash(observed: Observed, hash: (text: string) => string): string {
  const rows = observed.instances.map((one) =>
    JSON.stringify([one.id, one.service, one.spec, one.replica, one.state, one.routed]),
  );
  return hash(rows.sort().join("\n"));
}
