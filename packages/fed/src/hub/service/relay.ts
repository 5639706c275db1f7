import type { Placed } from "./site.ts";

/** An engine's proxy has asked the container by then; from another machine there is the way there and back as well. */
const relayHereMs = 250;
const relayAwayMs = 1_000;

/** How soon who takes connections for a container has closed them when nothing listens in it; undefined for a process. */
export function relayOf({ instance, machine, there }: Placed): number | undefined {
  if (machine === "") return undefined;
  const isHere = instance.address.port === there.port && instance.address.host === there.host;
  return isHere ? relayHereMs : relayAwayMs;
}
