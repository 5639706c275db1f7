import type { Desired, Observed, Plan } from "#engine/reconcile/plan.ts";
import { settledAtMs } from "#engine/reconcile/settle.ts";

/** Services for which nothing is left to do and whose wanted spec serves and has lasted, or of which none is to run and none does. Pure. */
export function servingIn(
  desired: Desired,
  observed: Observed,
  plan: Pick<Plan, "steps">,
  nowMs: number,
): readonly { readonly key: string; readonly spec: string }[] {
  const busy = new Set(plan.steps.map(({ action }) => action.service));
  const byService = Map.groupBy(observed.instances, ({ service }) => service);
  return desired.services.filter((service) => {
    const { key, spec, replicas, hold } = service;
    if (busy.has(key) || hold?.kind === "unseen" || hold?.kind === "waits") return false;
    const instances = byService.get(key) ?? [];
    const running = instances.filter(({ state }) => state === "running");
    if (replicas === 0) return running.length === 0;
    const at = settledAtMs(service, instances);
    if (at !== undefined && at > nowMs) return false;
    const serves = running.filter((one) => one.spec === spec && one.routed && one.health === "healthy");
    return serves.length >= replicas;
  });
}
