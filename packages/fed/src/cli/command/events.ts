import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import { type AnyEvent, eventTypes, type StreamItem } from "#wire/event.ts";
import { defineCommand } from "../command.ts";
import { eventLine } from "../event-line.ts";
import { follow } from "../follow.ts";
import { findHub } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { momentOf } from "../moment.ts";
import type { Screen } from "../print.ts";
import { clientOf, type Way } from "../way.ts";

/** So many at most in one answer of the hub. */
const pageEvents = 1_000;
/** Shown when neither a time nor a number is given. */
const usualLimit = 50;
/** The most that are ever listed. */
const mostEvents = 100_000;

export const command = defineCommand({
  args: {},
  flags: {
    ...hubFlags,
    follow: { kind: "switch", short: "f", description: "Go on with what happens, until Ctrl-C" },
    since: {
      kind: "text",
      value: "TIME",
      description: "All from then on: 30m, 1h or 2d ago, or an ISO time such as 2026-11-21T08:00",
    },
    type: {
      kind: "text",
      value: "TYPE",
      many: true,
      description: "Only this type (machine.changed), or all of a noun (machine.)",
    },
    subject: {
      kind: "text",
      value: "SUBJECT",
      description: "Only about this: service:dev/api, or all of a kind: user:",
    },
    limit: {
      kind: "count",
      value: "N",
      short: "n",
      min: 1,
      max: mostEvents,
      description: `The newest N; ${usualLimit} when there is no --since`,
    },
  },
  details: [
    "Oldest first. With --json one event a line. --follow goes on where it was when the hub was away for a while.",
    ...typesByNoun(),
  ],
  examples: [
    { line: "fed events", says: "what happened last" },
    { line: "fed events -f --type service. --type instance.", says: "follow what becomes of services" },
    { line: "fed events --since 1h --subject service:dev/api --json", says: "as data" },
    { line: "fed events verify", says: "prove that none in between was changed or removed" },
  ],
  async run({ flags, env, screen, signal }) {
    const sinceMs = flags.since === undefined ? undefined : momentOf("--since", flags.since, Date.now());
    const find = await findHub(flags, env, signal);
    const client = clientOf(find);
    const filter = { type: flags.type.length === 0 ? undefined : flags.type.join(","), subject: flags.subject };
    const limit = flags.limit ?? (sinceMs === undefined ? usualLimit : mostEvents);
    // From here on nothing is missed: what happens while the list is read comes again and is passed over.
    const before = flags.follow ? await newest(client, signal) : 0;
    const { events, more } = await list(client, { ...filter, sinceMs }, limit, signal);
    if (more && sinceMs !== undefined) noteMore(screen, events.length, flags.since ?? "");
    for (const event of events) show(screen, event);
    if (flags.follow) {
      const from = Math.max(before, events.at(-1)?.sequence ?? 0);
      return followEvents({ find, screen }, filter, from, signal);
    }
    if (events.length === 0 && !screen.json) screen.note("nothing has happened that fits");
    return 0;
  },
});

/** `user.    added enrolled …`, a line for each noun. */
function typesByNoun(): readonly string[] {
  const nouns = Map.groupBy(eventTypes, (type) => type.split(".")[0] ?? "");
  return [
    "",
    "Types",
    ...[...nouns].map(
      ([noun, types]) => `  ${`${noun}.`.padEnd(10)}${types.map((type) => type.slice(noun.length + 1)).join(" ")}`,
    ),
  ];
}

interface Filter {
  readonly type: string | undefined;
  readonly subject: string | undefined;
}

async function newest(client: Client, signal: AbortSignal): Promise<number> {
  const { events } = await client.call(api.events, { limit: 1 }, signal);
  return events[0]?.sequence ?? 0;
}

/** Oldest first; `more` when there are older ones still. */
async function list(
  client: Client,
  query: Filter & { readonly sinceMs: number | undefined },
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly events: readonly AnyEvent[]; readonly more: boolean }> {
  const found: AnyEvent[] = [];
  let before: number | undefined;
  do {
    const page = Math.min(pageEvents, limit - found.length);
    const answer = await client.call(api.events, { ...query, before, limit: page }, signal);
    found.push(...answer.events);
    before = answer.more;
  } while (before !== undefined && found.length < limit);
  return { events: found.reverse(), more: before !== undefined };
}

function noteMore(screen: Screen, shown: number, since: string): void {
  screen.note(
    { text: "not all: ", style: "warn" },
    `these are the newest ${shown} since ${since}; ` +
      (shown < mostEvents ? "leave --limit out for all" : "narrow it down with --type or --subject"),
  );
}

function followEvents(
  to: { readonly find: () => Promise<Way>; readonly screen: Screen },
  filter: Filter,
  from: number,
  signal: AbortSignal,
): Promise<never> {
  let after = from;
  const { screen } = to;
  return follow<StreamItem>(
    {
      ...to,
      open: (client) => client.events(api.eventStream, { ...filter, after }, signal),
      see(item) {
        if (item.kind === "gap") screen.note({ text: "some events are no longer kept", style: "warn" });
        if (item.kind !== "event") return;
        after = item.event.sequence;
        show(screen, item.event);
      },
    },
    signal,
  );
}

function show(screen: Screen, event: AnyEvent): void {
  if (screen.json) screen.data(event);
  else screen.line(...eventLine(event));
}
