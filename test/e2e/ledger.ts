import type { FedEvent, Verdict } from "../../packages/fed/src/wire/event.ts";

/** What a hub holds, however it was asked. */
export interface Found {
  readonly verdict: Verdict;
  /** At least those after `Ledger.checkedUpTo` that retention keeps. */
  readonly events: readonly FedEvent[];
  /** By kind and name, such as `token:tok_1`, in which state. The kinds that are in it are compared as a whole. */
  readonly rows: ReadonlyMap<string, string>;
}

/** What a hub has told and acknowledged over its lives, against which everything it holds later is compared. */
export interface Ledger {
  /** The hub has told this event: it is kept for good. */
  hear(event: FedEvent): void;
  /** The hub has said that a deed is done that leads to an event of this correlation. */
  acknowledge(correlation: string): void;
  /** What is not as it must be, in words; none when all is there. What was found counts as told from now on. */
  compare(found: Found): readonly string[];
  /** The newest event that was found. */
  readonly checkedUpTo: number;
  /** How many deeds were acknowledged. */
  readonly acknowledged: number;
}

export function openLedger(): Ledger {
  const told = new Map<number, FedEvent>();
  const waiting = new Set<string>();
  const rows = new Map<string, string>();
  let checkedUpTo = 0;
  let acknowledged = 0;
  return {
    hear: (event) => void told.set(event.sequence, event),
    acknowledge(correlation) {
      acknowledged++;
      waiting.add(correlation);
    },
    get checkedUpTo() {
      return checkedUpTo;
    },
    get acknowledged() {
      return acknowledged;
    },
    compare({ verdict, events, rows: foundRows }) {
      if (verdict.kind !== "sound")
        return [`the chain is ${verdict.kind} at event ${verdict.sequence}: ${verdict.reason}`];
      const found = new Map(events.map((event) => [event.sequence, event]));
      const lost = [...told.values()]
        .filter(({ sequence, hash }) => sequence >= verdict.first && found.get(sequence)?.hash !== hash)
        .map(({ sequence, type }) => `event ${sequence} (${type}) was told, and is not there`);
      for (const event of events) if (event.sequence > checkedUpTo) told.set(event.sequence, event);
      // A deed's rows and events are one transaction: what the events say is what the rows must be.
      for (const event of [...told.values()].sort((a, b) => a.sequence - b.sequence)) {
        waiting.delete(event.correlation);
        fold(rows, event);
        checkedUpTo = event.sequence;
      }
      const undone = [...waiting].map((correlation) => `a deed was acknowledged as ${correlation}, and is not there`);
      told.clear();
      waiting.clear();
      return [...lost, ...undone, ...differences(rows, foundRows)];
    },
  };
}

function fold(rows: Map<string, string>, { type, subject, data }: FedEvent): void {
  switch (type) {
    case "token.created":
      return void rows.set(`token:${data.token}`, "active");
    case "token.revoked":
      return void rows.set(`token:${data.token}`, "revoked");
    case "user.added":
      return void rows.set(subject, "invited");
    case "user.disabled":
      return void rows.set(subject, "disabled");
    case "machine.added":
      return void rows.set(subject, "unknown");
    case "machine.changed":
      return void rows.set(subject, data.to);
    case "machine.removed":
      return void rows.delete(subject);
  }
}

const kindOf = (key: string) => key.slice(0, key.indexOf(":"));

function differences(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): readonly string[] {
  const kinds = new Set([...found.keys()].map(kindOf));
  const keys = new Set([...wanted.keys(), ...found.keys()].filter((key) => kinds.has(kindOf(key))));
  return [...keys]
    .filter((key) => wanted.get(key) !== found.get(key))
    .map((key) => `${key}: the events say ${wanted.get(key) ?? "nothing"}, the rows ${found.get(key) ?? "nothing"}`);
}

type States = readonly { readonly id: string; readonly name: string; readonly state: string }[];

/** The rows of tokens and users, as a list or the API shows them. */
export function rowsOf(tokens: States, users: States): Map<string, string> {
  return new Map([
    ...tokens.map(({ id, state }) => [`token:${id}`, state] as const),
    ...users.map(({ name, state }) => [`user:${name}`, state] as const),
  ]);
}
