import { compareText } from "#engine/graph/order.ts";
import type { Desired, DesiredService, Observed, ObservedInstance } from "./plan.ts";
import { survey } from "./survey.ts";

/**
 * When the wanted instances of a service have lasted: undefined where nothing is gone back to when they do not, `Infinity` while they are
 * not all there, healthy and routed; otherwise a moment, which may have come. More than are wanted do not count: they go. Pure.
 */
export function settledAtMs(service: DesiredService, instances: readonly ObservedInstance[]): number | undefined {
  const { fallback, spec, replicas } = service;
  if (fallback === undefined || fallback.spec === spec || fallback.settleMs === 0 || replicas === 0) return undefined;
  const { fit } = survey(
    instances.toSorted((one, other) => compareText(one.id, other.id)),
    service,
  );
  if (fit.length < replicas || fit.some(({ routed }) => !routed)) return Number.POSITIVE_INFINITY;
  const since = fit.map(({ servesSinceMs }) => servesSinceMs ?? Number.POSITIVE_INFINITY);
  return Math.max(...since) + fallback.settleMs;
}

export interface Settling {
  readonly key: string;
  readonly untilMs: number;
}

/** Services whose wanted instances only have to last. */
export function settlingIn({ services }: Desired, observed: Observed, nowMs: number): readonly Settling[] {
  const byService = Map.groupBy(observed.instances, ({ service }) => service);
  return services.flatMap((service) => {
    const untilMs = service.hold === undefined ? settledAtMs(service, byService.get(service.key) ?? []) : undefined;
    const isOver = untilMs === undefined || untilMs <= nowMs || untilMs === Number.POSITIVE_INFINITY;
    return isOver ? [] : [{ key: service.key, untilMs }];
  });
}
