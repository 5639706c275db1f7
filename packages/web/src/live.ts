import { api } from "@fed/fed/wire/api.ts";
import { type AnyEvent, knownEvent, streamItemShape } from "@fed/fed/wire/event.ts";
import type { Role } from "@fed/fed/wire/role.ts";
import { useSyncExternalStore } from "react";
import {
  keptKnown,
  machinesQuery,
  meQuery,
  queries,
  recentEventsQuery,
  releasesKnown,
  secretsQuery,
  statusQuery,
  tokensQuery,
  useBarrier,
  usersQuery,
} from "./hub.ts";
import { makeNudge } from "./nudge.ts";

/** How the page hears of what happens. */
export type Connection = "connecting" | "live" | "reconnecting" | "signedOut";

/** Newest first. */
const keptEvents = 1_000;
const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** What changes again and again is asked for no more often than this. */
const refreshPauseMs = 200;
/** After so long in the dark, a connection that looks alive may be dead: the browser does not say. */
const longAwayMs = 30_000;

interface Known {
  readonly queryKey: readonly unknown[];
}

let source: EventSource | undefined;
let connection: Connection = "connecting";
let events: readonly AnyEvent[] = [];
let lastSequence: number | undefined;
let waitMs = firstWaitMs;
let timer: ReturnType<typeof setTimeout> | undefined;
let hiddenAtMs: number | undefined;
const listeners = new Set<() => void>();
const refresh = makeNudge<Known>((asked) => {
  for (const { queryKey } of asked) void queries.invalidateQueries({ queryKey });
}, refreshPauseMs);

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
  document.addEventListener("visibilitychange", onVisibility);
}

/** Stops, and forgets what was heard. */
export function stopLive(): void {
  window.removeEventListener("online", reopen);
  document.removeEventListener("visibilitychange", onVisibility);
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

function onVisibility(): void {
  if (document.visibilityState === "hidden") hiddenAtMs = Date.now();
  else if (hiddenAtMs !== undefined && Date.now() - hiddenAtMs > longAwayMs) reopen();
}

function open(): void {
  timer = undefined;
  const after = lastSequence === undefined ? "" : `?after=${lastSequence}`;
  const opened = new EventSource(api.eventStream.path + after);
  source = opened;
  opened.onopen = () => {
    // What changed while nobody listened is asked for once.
    refreshAll();
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
  // What this page does not know comes from a newer hub: what it shows is asked for again all the same.
  if (!item.success) refreshAll();
  else if (item.data.kind === "event") takeEvent(item.data.event);
  else if (item.data.kind === "changed") refresh([statusQuery, machinesQuery]);
  else {
    events = [];
    refreshAll();
    tell();
  }
}

function takeEvent(event: AnyEvent): void {
  if (lastSequence !== undefined && event.sequence <= lastSequence) return;
  lastSequence = event.sequence;
  events = [event, ...events].slice(0, keptEvents);
  if (knownEvent(event)) refresh(touchedBy(event));
  else refreshAll();
  tell();
}

/** What an event makes out of date. */
function touchedBy({ type }: AnyEvent): readonly Known[] {
  switch (type.split(".")[0]) {
    case "machine":
      return [machinesQuery];
    case "lab":
      return [statusQuery, machinesQuery, releasesKnown, secretsQuery];
    case "secret":
    case "key":
      return [secretsQuery];
    case "instance":
      return [statusQuery, keptKnown];
    case "service":
      return [statusQuery];
    case "release":
    case "rollout":
      return [statusQuery, releasesKnown, keptKnown];
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
  refresh([
    statusQuery,
    machinesQuery,
    releasesKnown,
    keptKnown,
    secretsQuery,
    usersQuery,
    tokensQuery,
    recentEventsQuery,
  ]);
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

/** Why a deed cannot be done now: not by this person, or the hub cannot be reached; undefined when it can. */
export function useObstacle(needs: Role): string | undefined {
  const barrier = useBarrier(needs);
  const connection = useConnection();
  return (
    barrier ?? (connection === "reconnecting" ? "The hub does not answer; this works again once it does." : undefined)
  );
}

/** What has happened since the page was opened, newest first. */
export function useLiveEvents(): readonly AnyEvent[] {
  return useSyncExternalStore(listen, () => events);
}
