import { Fault } from "#base/fault.ts";

/** Outside of what the system gives to outgoing connections, and of what the process runtime hands out. */
const ports = { first: 30_000, last: 32_767 } as const;

/** The known doors and one more for each key that has none. Pure; where the search begins is the seed's doing. */
export function withDoors(
  known: ReadonlyMap<string, number>,
  keys: readonly string[],
  seed: number,
): ReadonlyMap<string, number> {
  const doors = new Map(known);
  const taken = new Set(known.values());
  const span = ports.last - ports.first + 1;
  let at = seed % span;
  for (const key of keys.filter((one) => !known.has(one))) {
    if (taken.size >= span) throw new Fault("conflict", "no port is left for one more door between services");
    while (taken.has(ports.first + at)) at = (at + 1) % span;
    doors.set(key, ports.first + at);
    taken.add(ports.first + at);
  }
  return doors;
}
