import { api } from "@fed/fed/wire/api.ts";
import { type FedEvent, streamItemShape } from "@fed/fed/wire/event.ts";
import { useSyncExternalStore } from "react";
import { machinesQuery, meQuery, queries, recentEventsQuery, statusQuery, tokensQuery, usersQuery } from "./hub.ts";

/** How the page hears of what happens. */
export type Connection = "connecting" | "live" | "reconnecting" | "signedOut";

/** Newest first. */
const keptEvents = 1_000;
const firstWaitMs = 500;
const longestWaitMs = 10_000;

let source: EventSource | undefined;
let connection: Connection = "connecting";
let events: readonly FedEvent[] = [];
let lastSequence: number | undefined;
let waitMs = firstWaitMs;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function become(next: Connection): void {
  if (next === connection) return;
  connection = next;
  tell();
}

/** Begins to listen; again after a sign-in. Harmless when it listens already. */
export function startLive(): void {
  if (source !== undefined || timer !== undefined) return;
  open();
  window.addEventListener("online", reopen);
}

/** Stops, and forgets what was heard. */
export function stopLive(): void {
  window.removeEventListener("online", reopen);
  close();
  events = [];
  lastSequence = undefined;
  become("connecting");
}

function close(): void {
  source?.close();
  source = undefined;
  clearTimeout(timer);
  timer = undefined;
}

function reopen(): void {
  close();
  open();
}

function open(): void {
  timer = undefined;
  const after = lastSequence === undefined ? "" : `?after=${lastSequence}`;
  const opened = new EventSource(api.eventStream.path + after);
  source = opened;
  opened.onopen = () => {
    // What changed while nobody listened is asked for once.
    if (connection !== "live") refreshAll();
    waitMs = firstWaitMs;
    become("live");
  };
  opened.onmessage = ({ data }) => take(data as string);
  opened.onerror = () => {
    if (opened !== source) return;
    become(connection === "connecting" ? "connecting" : "reconnecting");
    // A browser tries again by itself after a lost connection, but not after an answer it did not like.
    if (opened.readyState === EventSource.CLOSED) void tryAgain();
  };
}

async function tryAgain(): Promise<void> {
  close();
  const known = await queries.fetchQuery({ ...meQuery, staleTime: 0, retry: false }).then(
    () => true,
    (thrown: { readonly code?: string }) => thrown.code !== "unauthenticated",
  );
  if (source !== undefined || timer !== undefined) return;
  if (!known) return become("signedOut");
  timer = setTimeout(open, waitMs);
  waitMs = Math.min(longestWaitMs, waitMs * 2);
}

function take(data: string): void {
  const item = streamItemShape.safeParse(JSON.parse(data));
  // An event that this page does not know comes from a newer hub: what it shows is asked for again all the same.
  if (!item.success) refreshAll();
  else if (item.data.kind === "event") takeEvent(item.data.event);
  else if (item.data.kind === "changed") {
    void queries.invalidateQueries({ queryKey: statusQuery.queryKey });
    void queries.invalidateQueries({ queryKey: machinesQuery.queryKey });
  } else {
    events = [];
    void queries.invalidateQueries({ queryKey: recentEventsQuery.queryKey });
    refreshAll();
  }
}

function takeEvent(event: FedEvent): void {
  if (lastSequence !== undefined && event.sequence <= lastSequence) return;
  lastSequence = event.sequence;
  events = [event, ...events].slice(0, keptEvents);
  for (const query of touchedBy(event)) void queries.invalidateQueries({ queryKey: query.queryKey });
  tell();
}

/** What an event makes out of date. */
function touchedBy({ type }: FedEvent): readonly { readonly queryKey: readonly unknown[] }[] {
  switch (type.split(".")[0]) {
    case "machine":
      return [machinesQuery];
    case "lab":
      return [statusQuery, machinesQuery];
    case "instance":
    case "service":
      return [statusQuery];
    case "user":
      return [usersQuery, meQuery];
    case "session":
      return [usersQuery];
    case "token":
      return [tokensQuery];
    default:
      return [];
  }
}

function refreshAll(): void {
  for (const query of [statusQuery, machinesQuery, usersQuery, tokensQuery]) {
    void queries.invalidateQueries({ queryKey: query.queryKey });
  }
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function useConnection(): Connection {
  return useSyncExternalStore(listen, () => connection);
}

/** What has happened since the page was opened, newest first. */
export function useLiveEvents(): readonly FedEvent[] {
  return useSyncExternalStore(listen, () => events);
}
