import { sleep, systemClock } from "#base/clock.ts";
import { type FaultCode, isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import { eventTypes, type FedEvent } from "#wire/event.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { localTime, momentOf } from "../moment.ts";
import type { Screen } from "../print.ts";

/** So many at most in one answer of the hub. */
const pageEvents = 1_000;
const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** Bad news that may be over in a moment. */
const passing: ReadonlySet<FaultCode> = new Set(["unreachable", "timeout", "limited"]);

export const command = defineCommand({
  args: {},
  flags: {
    ...hubFlags,
    follow: { kind: "switch", short: "f", description: "Go on with what happens, until Ctrl-C" },
    since: { kind: "text", value: "TIME", description: "Only from then on: 30m, 1h, 7d ago, or a time" },
    type: {
      kind: "text",
      value: "TYPE",
      many: true,
      description: "Only this type (machine.changed) or noun (machine.)",
    },
    subject: {
      kind: "text",
      value: "SUBJECT",
      description: "Only about this: service:dev/api, or all of a kind: user:",
    },
    limit: { kind: "count", value: "N", short: "n", min: 1, max: 100_000, default: 50, description: "The newest N" },
  },
  details: [
    "Oldest first. With --json one event a line. A lost connection is taken up again where it was lost.",
    `Types: ${eventTypes.join(" ")}`,
  ],
  examples: [
    { line: "fed events", says: "what happened last" },
    { line: "fed events -f --type service. --type instance.", says: "follow what becomes of services" },
    { line: "fed events --since 1h --subject service:dev/api --json", says: "as data" },
    { line: "fed events verify", says: "prove that none was changed or removed" },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const type = flags.type.length === 0 ? undefined : flags.type.join(",");
    const filter = { type, subject: flags.subject };
    const since = flags.since === undefined ? undefined : momentOf("--since", flags.since, Date.now());
    const limit = flags.limit;
    // From here on nothing is missed: what happens while the list is read comes again and is passed over.
    const before = flags.follow ? await newest(client, signal) : 0;
    const events = await list(client, { ...filter, since }, limit, signal);
    for (const event of events) show(screen, event);
    if (flags.follow) return follow(client, filter, Math.max(before, events.at(-1)?.sequence ?? 0), screen, signal);
    if (events.length === 0 && !screen.json) screen.note("nothing has happened that fits");
    return 0;
  },
});

interface Filter {
  readonly type: string | undefined;
  readonly subject: string | undefined;
}

async function newest(client: Client, signal: AbortSignal): Promise<number> {
  const { events } = await client.call(api.events, { limit: 1 }, signal);
  return events[0]?.sequence ?? 0;
}

/** Oldest first. */
async function list(
  client: Client,
  query: Filter & { readonly since: number | undefined },
  limit: number,
  signal: AbortSignal,
): Promise<readonly FedEvent[]> {
  const found: FedEvent[] = [];
  let before: number | undefined;
  while (found.length < limit) {
    const page = Math.min(pageEvents, limit - found.length);
    const answer = await client.call(api.events, { ...query, before, limit: page }, signal);
    found.push(...answer.events);
    if (answer.more === undefined) break;
    before = answer.more;
  }
  return found.reverse();
}

async function follow(client: Client, filter: Filter, from: number, screen: Screen, signal: AbortSignal) {
  let after = from;
  let waitMs = firstWaitMs;
  for (;;) {
    try {
      for await (const item of client.events(api.eventStream, { ...filter, after }, signal)) {
        waitMs = firstWaitMs;
        if (item.kind === "gap") screen.note({ text: "some events are no longer kept", style: "warn" });
        if (item.kind !== "event") continue;
        after = item.event.sequence;
        show(screen, item.event);
      }
      if (signal.aborted) return 0;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (!isFault(thrown) || !passing.has(thrown.code)) throw thrown;
      screen.note({ text: `${thrown.message}; trying again …`, style: "warn" });
    }
    await sleep(systemClock, waitMs, signal);
    waitMs = Math.min(longestWaitMs, waitMs * 2);
  }
}

function show(screen: Screen, event: FedEvent): void {
  if (screen.json) screen.data(event);
  const facts = Object.entries(event.data).map(([name, value]) => `${name}=${value}`);
  screen.line(
    { text: localTime(event.atMs), style: "dim" },
    "  ",
    { text: event.type.padEnd(20), style: "strong" },
    `  ${event.subject}  `,
    { text: [`by ${event.actor}`, ...facts].join("  "), style: "dim" },
  );
}
