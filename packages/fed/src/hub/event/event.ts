import { nearest } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import { type EventType, eventTypes } from "#wire/event.ts";

/** Which events are meant. */
export interface EventFilter {
  /** Any of these. Empty: every type. */
  readonly types: readonly EventType[];
  /** This one, or all that begin with it when it ends with a colon. */
  readonly subject: string | undefined;
}

/** `machine.`: all types of a noun. */
const nouns = [...new Set(eventTypes.map((type) => `${type.split(".")[0]}.`))];

/** Reads `machine.changed,user.`; Fault `invalid` for what no event is called. */
export function readFilter(input: {
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
}): EventFilter {
  const words = (input.type ?? "").split(",").flatMap((text) => (text.trim() === "" ? [] : [text.trim()]));
  return { types: [...new Set(words.flatMap(typesOf))], subject: input.subject || undefined };
}

function typesOf(word: string): readonly EventType[] {
  const types = eventTypes.filter((type) => type === word || (word.endsWith(".") && type.startsWith(word)));
  if (types.length > 0) return types;
  const meant = nearest(word, [...eventTypes, ...nouns]);
  const did = meant === undefined ? "" : `Did you mean ${meant}? `;
  throw new Fault("invalid", `there is no event of type ${word}`, {
    hint: `${did}All of a noun: ${nouns.join(" ")} One type of it: ${eventTypes[0]}`,
    details: { known: eventTypes },
  });
}

export function matches(
  { types, subject }: EventFilter,
  event: { readonly type: string; readonly subject: string },
): boolean {
  if (types.length > 0 && !types.some((type) => type === event.type)) return false;
  if (subject === undefined) return true;
  return subject.endsWith(":") ? event.subject.startsWith(subject) : event.subject === subject;
}

/** How much of the log is kept. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEvents: number;
  /** Of the events in the database's file, by estimate. */
  readonly maxBytes: number;
}

export const defaultRetention: Retention = {
  maxAgeMs: 400 * 86_400_000,
  maxEvents: 1_000_000,
  maxBytes: 512 * 1024 * 1024,
};

/**
 * A log beyond a limit is cut to this share of it, so that a full log is cut now and then, not by an event or two at
 * every look: each cut is an event itself.
 */
const keptShare = 0.99;

/** What is older than this is dropped once something is older than `maxAgeMs`. */
export const youngestDroppedMs = ({ maxAgeMs }: Retention): number => maxAgeMs * keptShare;

/** How many of the oldest are dropped by number and size. */
export function droppedOf(retention: Retention, events: number, meanBytes: number): number {
  const limit = Math.min(
    retention.maxEvents,
    meanBytes > 0 ? retention.maxBytes / meanBytes : Number.POSITIVE_INFINITY,
  );
  return events > limit ? events - Math.floor(limit * keptShare) : 0;
}
