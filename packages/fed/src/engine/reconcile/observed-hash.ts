import { compareText } from "#engine/graph/order.ts";
import type { Observed } from "./plan.ts";

/**
 * Identity of what was seen, whatever the order in which it was listed. Health is left out: it comes and goes by itself,
 * and a plan that waits for health is right either way.
 */
export function observedHash(observed: Observed, hash: (text: string) => string): string {
  const lines = observed.instances.map(({ id, service, spec, replica, state, routed, unseen }) =>
    JSON.stringify([id, service, spec, replica, state, routed, ...(unseen ? ["unseen"] : [])]),
  );
  return hash(lines.sort(compareText).join("\n"));
}
