import type { RouteTable } from "./routing.ts";

type Routed = RouteTable["services"][number];

/**
 * Of those before, who is not wanted any more but serves: whoever needs it is led to it until it ends. A host name or a door that is
 * somebody else's by now is theirs. Pure.
 */
export function leavingOf(
  wanted: readonly Routed[],
  before: readonly Routed[],
  serves: Pick<ReadonlyMap<string, unknown>, "has">,
): readonly Routed[] {
  const keys = new Set(wanted.map(({ key }) => key));
  const hosts = new Set(wanted.map(({ route }) => route?.toLowerCase()));
  const ports = new Set(wanted.map(({ door }) => door?.port));
  return before
    .filter(({ key }) => !keys.has(key) && serves.has(key))
    .map((one) => ({
      ...one,
      route: hosts.has(one.route?.toLowerCase()) ? undefined : one.route,
      door: ports.has(one.door?.port) ? undefined : one.door,
    }));
}
