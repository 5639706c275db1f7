import { Fault } from "#base/fault.ts";
import { eventTypes, type FedEvent, isEventFilter } from "#wire/event.ts";

/** Which events are meant. */
export interface EventFilter {
  /** Any of these; one that ends with a dot means all that begin so. Empty: every type. */
  readonly types: readonly string[];
  /** This one, or all that begin with it when it ends with a colon. */
  readonly subject: string | undefined;
}

/** Reads `machine.changed,user.`; Fault `invalid` for what no event is called. */
export function readFilter(input: { readonly type?: string | undefined; readonly subject?: string | undefined }) {
  const types = (input.type ?? "").split(",").flatMap((text) => (text.trim() === "" ? [] : [text.trim()]));
  for (const type of types) {
    if (isEventFilter(type)) continue;
    const nouns = [...new Set(eventTypes.map((known) => `${known.split(".")[0]}.`))];
    throw new Fault("invalid", `there is no event of type ${type}`, {
      hint: `All of a noun: ${nouns.join(" ")} One of them, such as lab.accepted.`,
      details: { typed: type, known: eventTypes },
    });
  }
  return { types, subject: input.subject || undefined } satisfies EventFilter;
}

export function matches({ types, subject }: EventFilter, event: FedEvent): boolean {
  const { type } = event;
  const typed = types.length === 0 || types.some((one) => one === type || (one.endsWith(".") && type.startsWith(one)));
  if (!typed || subject === undefined) return typed;
  return subject.endsWith(":") ? event.subject.startsWith(subject) : event.subject === subject;
}

/** How much of the log is kept. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEvents: number;
  /** Of the database's file, by estimate. */
  readonly maxBytes: number;
}

export const defaultRetention: Retention = {
  maxAgeMs: 400 * 86_400_000,
  maxEvents: 1_000_000,
  maxBytes: 512 * 1024 * 1024,
};

/** How many events may stay by number and size. */
export function keptEvents(retention: Retention, meanBytes: number): number {
  return Math.min(
    retention.maxEvents,
    meanBytes > 0 ? Math.floor(retention.maxBytes / meanBytes) : retention.maxEvents,
  );
}
