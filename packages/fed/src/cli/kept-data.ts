import { isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { OutputOf } from "#wire/endpoint.ts";

/** What a hub keeps for services. */
export type KeptData = OutputOf<typeof api.keptData>["data"][number];

export const keyOf = ({ environment, service }: Pick<KeptData, "environment" | "service">) =>
  `${environment}/${service}`;

/** `fed_ocean_dev_db_data on nas`, or the name alone for a folder of the hub's. */
export function nameOf({ name, machine }: KeptData): string {
  return machine === undefined ? name : `${name} on ${machine}`;
}

/** What the lab no longer names, a line for each service with the command that removes it. None where the hub cannot tell. */
export async function unusedLines(
  client: Client,
  services: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const data = await client.call(api.keptData, {}, signal).then(
    (answer) => answer.data,
    (thrown) => {
      if (isFault(thrown)) return [];
      throw thrown;
    },
  );
  const unused = Map.groupBy(
    data.filter(({ used }) => !used),
    keyOf,
  );
  return Array.from(unused, ([key, kept]) => {
    const word = services.has(key) ? "--unused" : "--with-data";
    return `${key}: ${kept.map(nameOf).join(", ")}. To remove it for good: fed destroy ${key} ${word}`;
  });
}
