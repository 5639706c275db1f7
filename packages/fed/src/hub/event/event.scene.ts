import { onTestFinished } from "vitest";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { Database, SqlRow } from "#disk/sqlite.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import type { EventData, StreamItem } from "#wire/event.ts";
import { readFilter } from "./event.ts";
import type { ListQuery } from "./store.ts";
import { type EventLog, type EventLogNeeds, openEventLog } from "./verbs.ts";

export const origin = { actor: "hub", correlation: "cor_1" };
export const everything = readFilter({});

export interface Scene {
  readonly db: Database;
  readonly folder: string;
  readonly clock: HandClock;
  readonly log: EventLog;
  /** The log as a hub that starts anew finds it. */
  reopen(): EventLog;
}

/** A log in a control database of its own, gone after the test. */
export function makeScene(options: Partial<Pick<EventLogNeeds, "retention" | "trace" | "redactor">> = {}): Scene {
  const control = openTestControl();
  const clock = handClock();
  const reopen = () => openEventLog({ db: control.db, clock, trace: silentTrace, ...options });
  const log = reopen();
  onTestFinished(() => {
    log.close();
    control[Symbol.dispose]();
  });
  return { db: control.db, folder: control.folder, clock, log, reopen };
}

/** Somebody with the file in their hands is stopped by no trigger. */
export function dropGuards({ db }: Pick<Scene, "db">): void {
  const read = (row: SqlRow) => String(row.name);
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'", read).all();
  db.tx((tx) => {
    for (const name of names) tx.script(`DROP TRIGGER ${name}`);
  });
}

/** So many events in one deed. */
export function say(
  log: EventLog,
  count: number,
  subject = "machine:a",
  data: EventData = { type: "machine.removed" },
) {
  log.deed(origin, (_tx, emit) => {
    for (let n = 0; n < count; n++) emit(subject, data);
  });
}

/** The sequences that a list answers. */
export function listed(
  log: EventLog,
  input: { type?: string; subject?: string },
  more: Partial<Pick<ListQuery, "before" | "sinceMs" | "limit">> = {},
) {
  const query = { before: undefined, sinceMs: undefined, limit: 100, ...more, ...readFilter(input) };
  return log.list(query).map(({ sequence }) => sequence);
}

export const sequencesOf = (items: readonly StreamItem[]) =>
  items.flatMap((item) => (item.kind === "event" ? [item.event.sequence] : []));

export const range = (first: number, last: number) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);

/** Nothing ever changes. */
export const silence = (_listener: () => void) => () => {};

/** Reads until `wanted` items came, then stops. */
export async function take(items: AsyncIterable<StreamItem>, wanted: number): Promise<StreamItem[]> {
  const got: StreamItem[] = [];
  if (wanted === 0) return got;
  for await (const item of items) {
    got.push(item);
    if (got.length === wanted) break;
  }
  return got;
}

/** Reads in the background until the test is over. */
export function follow(log: EventLog, from: { filter?: typeof everything; after?: number } = {}, onChanged = silence) {
  const stop = new AbortController();
  const got: StreamItem[] = [];
  const { filter = everything, after } = from;
  const stream = log.stream({ filter, after }, onChanged, stop.signal);
  const done = (async () => {
    for await (const item of stream) got.push(item);
  })();
  onTestFinished(() => stop.abort());
  return { got, done, stop: () => stop.abort() };
}
