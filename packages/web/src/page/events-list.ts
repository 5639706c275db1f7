import { type AnyEvent, type EventType, eventTypes } from "@fed/fed/wire/event.ts";
import { actorText, eventSentence } from "../view/event.ts";

/** What is loaded at most; older ones are asked for again when they are wanted. */
export const mostEvents = 2000;

/** Events newest first, each once, however they came. Pure. */
export function mergeEvents(known: readonly AnyEvent[], more: readonly AnyEvent[]): readonly AnyEvent[] {
  const bySequence = new Map(known.map((event) => [event.sequence, event]));
  let added = false;
  for (const event of more) {
    added ||= !bySequence.has(event.sequence);
    bySequence.set(event.sequence, event);
  }
  if (!added) return known;
  return [...bySequence.values()].sort((a, b) => b.sequence - a.sequence);
}

/** What people look for. */
export interface EventView {
  /** Any of these; all when empty. */
  readonly types: readonly EventType[];
  /** In the subject. */
  readonly subject: string;
  /** In the sentence, the actor, the type or the data. */
  readonly text: string;
  /** Only what this deed led to; "" for all. */
  readonly correlation: string;
}

export const wholeView: EventView = { types: [], subject: "", text: "", correlation: "" };

export function isWhole(view: EventView): boolean {
  return view.types.length === 0 && view.subject === "" && view.text === "" && view.correlation === "";
}

/** Pure. */
export function matchesView(event: AnyEvent, view: EventView): boolean {
  if (view.types.length > 0 && !view.types.some((type) => type === event.type)) return false;
  if (view.correlation !== "" && event.correlation !== view.correlation) return false;
  if (!event.subject.toLowerCase().includes(view.subject.trim().toLowerCase())) return false;
  const wanted = view.text.trim().toLowerCase();
  if (wanted === "") return true;
  const text = `${eventSentence(event)} ${actorText(event.actor)} ${event.actor} ${event.type} ${JSON.stringify(event.data)}`;
  return text.toLowerCase().includes(wanted);
}

/** While the list is held, what is newer than this is only counted. Pure. */
export function splitHeld(
  events: readonly AnyEvent[],
  heldAt: number | undefined,
): { readonly shown: readonly AnyEvent[]; readonly waiting: number } {
  if (heldAt === undefined) return { shown: events, waiting: 0 };
  const shown = events.filter(({ sequence }) => sequence <= heldAt);
  return { shown, waiting: events.length - shown.length };
}

/** The types of events by their noun, for a menu. */
export const typesByNoun: readonly (readonly [noun: string, types: readonly EventType[]])[] = [
  ...Map.groupBy(eventTypes, (type) => type.slice(0, type.indexOf("."))),
];

/** The choice after all types of a noun were chosen, or none of them any more. Pure. */
export function chooseNoun(chosen: readonly EventType[], noun: string, on: boolean): readonly EventType[] {
  const others = chosen.filter((type) => !type.startsWith(`${noun}.`));
  return on ? [...others, ...eventTypes.filter((type) => type.startsWith(`${noun}.`))] : others;
}

/** The types in words that the hub understands: a whole noun as `user.`. "" for all. Pure. */
export function typeQuery(types: readonly EventType[]): string {
  const chosen = new Set(types);
  return typesByNoun
    .flatMap(([noun, all]) => {
      const some = all.filter((type) => chosen.has(type));
      return some.length === all.length ? [`${noun}.`] : some;
    })
    .join(",");
}

/** The types that a query such as `user.,hub.started` means; what it does not know is left out. Pure. */
export function readTypeQuery(text: string): readonly EventType[] {
  const parts = text.split(",").map((part) => part.trim());
  return eventTypes.filter((type) =>
    parts.some((part) => part === type || (part.endsWith(".") && type.startsWith(part))),
  );
}

/** What the hub is asked for: it knows whole subjects and whole kinds; the rest of a word is looked for on the page. */
export function subjectQuery(text: string, known: readonly string[]): string {
  const wanted = text.trim();
  return wanted.endsWith(":") || known.includes(wanted) ? wanted : "";
}

/** Events under the day they happened on, in the reader's time zone, in the order they come. Pure. */
export function groupDays(
  events: readonly AnyEvent[],
): readonly { readonly dayMs: number; readonly events: readonly AnyEvent[] }[] {
  const days: { dayMs: number; events: AnyEvent[] }[] = [];
  for (const event of events) {
    const dayMs = new Date(event.atMs).setHours(0, 0, 0, 0);
    const last = days.at(-1);
    if (last?.dayMs === dayMs) last.events.push(event);
    else days.push({ dayMs, events: [event] });
  }
  return days;
}
