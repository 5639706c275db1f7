import { api } from "#wire/api.ts";
import type { OutputOf } from "#wire/endpoint.ts";
import type { ServiceStatus } from "#wire/status.ts";
import { defineCommand } from "../command.ts";
import { follow } from "../follow.ts";
import { findHub, findService } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen } from "../print.ts";
import { clientOf, type Way } from "../way.ts";

type Line = OutputOf<typeof api.logs>;

/** So many instances are named to the hub when going on; the hub takes no longer words. */
const mostPlaces = 100;

export const command = defineCommand({
  args: { service: { kind: "service", description: "Name of a service, or environment/service" } },
  flags: {
    ...hubFlags,
    follow: { kind: "switch", short: "f", description: "Go on with what comes, until Ctrl-C" },
    tail: {
      kind: "count",
      value: "N",
      short: "n",
      min: 0,
      max: 1_000_000,
      default: 200,
      description: "Begin with the last N lines of each instance",
    },
  },
  details: [
    "Output of all its instances, of the last one that ended too.",
    "--follow goes on where it was when the hub was away for a while.",
  ],
  examples: [
    { line: "fed logs api", says: "show what api wrote last" },
    { line: "fed logs dev/api -f -n 20", says: "follow it" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const find = await findHub(flags, env, signal);
    const client = clientOf(find);
    const service = await findService(client, args.service, signal);
    const show = showLine(screen, service.instances.length > 1 || flags.follow);
    if (flags.follow) return followLogs({ find, screen, show }, service, flags.tail, signal);
    let lines = 0;
    const input = { environment: service.environment, service: service.service, tail: flags.tail };
    for await (const line of client.stream(api.logs, input, signal)) {
      lines++;
      show(line);
    }
    if (lines === 0 && !screen.json) {
      const silent = flags.tail === 0 ? "no lines were asked for" : "has written nothing yet";
      screen.note(`${service.environment}/${service.service}: ${silent}`);
    }
    return 0;
  },
});

function showLine(screen: Screen, several: boolean): (line: Line) => void {
  return (line) => {
    if (screen.json) screen.data({ instance: line.instance, text: line.text });
    else screen.verbatim(`${several ? `${line.instance.slice(-4)} │ ` : ""}${line.text}\n`);
  };
}

function followLogs(
  to: { readonly find: () => Promise<Way>; readonly screen: Screen; readonly show: (line: Line) => void },
  { environment, service, instances }: ServiceStatus,
  tail: number,
  signal: AbortSignal,
): Promise<never> {
  // With `-n 0` what these have written is not to be shown: they go on behind it.
  const places = new Map<string, string>(tail === 0 ? instances.map(({ id }) => [id, ""]) : []);
  const after = () => {
    const words = [...places].slice(-mostPlaces).map(([id, at]) => `${id}@${at}`);
    // One that nobody knows, when nothing was written yet: all that is there by now is new.
    return words.length === 0 ? "@" : words.join(",");
  };
  return follow<Line>(
    {
      ...to,
      open(client, again) {
        const from = again ? { after: after() } : { tail };
        return client.stream(api.logs, { environment, service, follow: "true", ...from }, signal);
      },
      see(line) {
        // The newest last.
        places.delete(line.instance);
        if (line.at !== "") places.set(line.instance, line.at);
        to.show(line);
      },
    },
    signal,
  );
}
