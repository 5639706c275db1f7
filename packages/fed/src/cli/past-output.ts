import { isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import { findService } from "./hub-client.ts";
import { ageOf, localTime } from "./moment.ts";
import type { Screen } from "./print.ts";
import { sizeText } from "./size.ts";

/** What instances wrote that are gone. */

export interface ServiceName {
  readonly environment: string;
  readonly service: string;
}

/** One that the lab does not have any more is called by both its names, or by its own and the environment apart. */
export async function findPast(
  client: Client,
  name: string,
  place: string | undefined,
  signal: AbortSignal,
): Promise<ServiceName> {
  try {
    return await findService(client, name, signal, place);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "missing") throw thrown;
    const [environment = "", service] = name.includes("/") ? name.split("/") : [place, name];
    if (environment === "" || service === undefined || (place ?? environment) !== environment) throw thrown;
    return { environment, service };
  }
}

/** The instances that are gone, the newest last. */
export async function showGone(
  client: Client,
  { environment, service }: ServiceName,
  screen: Screen,
  signal: AbortSignal,
) {
  const { logs } = await client.call(api.keptLogs, { environment, service }, signal);
  if (screen.json) screen.data(logs);
  else if (logs.length === 0) screen.line(`nothing is kept of instances of ${environment}/${service} that are gone`);
  else {
    screen.table({
      columns: [
        { title: "INSTANCE" },
        { title: "ENDED" },
        { title: "AFTER" },
        { title: "HOW" },
        { title: "OUTPUT", align: "right" },
      ],
      rows: logs.map(({ instance, startedMs, endedMs, exit, sizeBytes }) => [
        { text: instance, style: "strong" },
        { text: localTime(endedMs), style: "dim" },
        ageOf(startedMs, endedMs),
        exit,
        sizeText(sizeBytes),
      ]),
    });
  }
}
