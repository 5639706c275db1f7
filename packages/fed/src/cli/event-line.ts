import type { AnyEvent } from "#wire/event.ts";
import { localTime, tookText } from "./moment.ts";
import type { Span } from "./table.ts";

/** Lines come one by one, so these widths hold what is common; what is longer pushes the rest. */
const typeWidth = 20;
const subjectWidth = 18;
/** Enough of a hash to tell two apart. */
const hashLetters = 12;

/** One event on one line, for people; of a type that this version does not know as well. */
export function eventLine(event: AnyEvent): readonly Span[] {
  const facts = Object.entries(event.data).map(([name, value]) => factText(name, value));
  return [
    { text: localTime(event.atMs), style: "dim" },
    "  ",
    { text: event.type.padEnd(typeWidth), style: "strong" },
    `  ${event.subject.padEnd(subjectWidth)}  `,
    { text: [`by ${event.actor}`, ...facts].join("  "), style: "dim" },
  ];
}

/** `expires=2026-11-21 08:00:00`, `hash=ecbe9254132a`, `reason="it answers"`. */
function factText(name: string, value: unknown): string {
  if (typeof value === "number" && name === "tookMs") return `took="${tookText(value)}"`;
  if (typeof value === "number" && name.endsWith("Ms")) return `${name.slice(0, -2)}="${localTime(value)}"`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (/^[0-9a-f]{64}$/.test(text)) return `${name}=${text.slice(0, hashLetters)}`;
  return `${name}=${/[\s"]|^$/.test(text) ? JSON.stringify(text) : text}`;
}
