import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { OutputOf } from "#wire/endpoint.ts";
import type { ServiceStatus } from "#wire/status.ts";
import { defineCommand } from "../command.ts";
import { follow } from "../follow.ts";
import { findHub, findService } from "../hub-client.ts";
import { findPast, type ServiceName, showGone } from "../past-output.ts";
import type { Screen } from "../print.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";
import { clientOf, type Way } from "../way.ts";

type Line = OutputOf<typeof api.logs>;

/** So many instances are named to the hub when going on; the hub takes no longer words. */
const mostPlaces = 100;

export const command = defineCommand({
  args: { service: serviceArg },
  flags: {
    ...placeFlags,
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
    gone: { kind: "switch", short: "g", description: "Of instances that are gone, too" },
    instance: {
      ...{ kind: "text", value: "ID", short: "i" },
      description: "Only of this one, by the end of its id; also one that is gone",
    },
    list: { kind: "switch", short: "l", description: "Show the instances that are gone, not what they wrote" },
  },
  details: [
    "Output of all its instances. What those wrote that are gone is kept for 30 days: the last 10 MB of each of the last 20.",
    "--follow goes on where it was when the hub was away for a while.",
  ],
  examples: [
    { line: "fed logs api", says: "show what api wrote last" },
    { line: "fed logs dev/api -f -n 20", says: "follow it" },
    { line: "fed logs prod/api --list", says: "the instances that are gone, and how each ended" },
    { line: "fed logs prod/api --instance 7d3f", says: "what one of them wrote" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const find = await findHub(flags, env, signal);
    const client = clientOf(find);
    if (flags.list || flags.gone || flags.instance !== undefined) {
      const past = await findPast(client, args.service, flags.env, signal);
      if (flags.list) await showGone(client, past, screen, signal);
      else await readPast({ client, screen }, past, flags, signal);
      return 0;
    }
    const service = await findService(client, args.service, signal, flags.env);
    const show = showLine(screen, service.instances.length > 1 || flags.follow);
    if (flags.follow) return followLogs({ find, screen, show }, service, flags.tail, signal);
    const input = { environment: service.environment, service: service.service, tail: flags.tail };
    const lines = await showAll(client.stream(api.logs, input, signal), show);
    if (lines === 0 && !screen.json) {
      const silent = flags.tail === 0 ? "no lines were asked for" : "has written nothing yet";
      screen.note(`${service.environment}/${service.service}: ${silent}`);
    }
    return 0;
  },
});

async function showAll(lines: AsyncIterable<Line>, show: (line: Line) => void): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    count++;
    show(line);
  }
  return count;
}

/** With --follow as long as something of it is there: what is gone comes to its end. */
async function readPast(
  { client, screen }: { readonly client: Client; readonly screen: Screen },
  { environment, service }: ServiceName,
  flags: {
    readonly tail: number;
    readonly follow: boolean;
    readonly gone: boolean;
    readonly instance: string | undefined;
  },
  signal: AbortSignal,
): Promise<void> {
  const { tail, instance } = flags;
  const input = {
    ...{ environment, service, tail, gone: String(flags.gone), follow: String(flags.follow) },
    ...(instance === undefined ? {} : { instance }),
  };
  const lines = await showAll(client.stream(api.logs, input, signal), showLine(screen, instance === undefined));
  if (lines === 0 && !screen.json) screen.note(`${environment}/${service}: there is no line of it`);
}

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
