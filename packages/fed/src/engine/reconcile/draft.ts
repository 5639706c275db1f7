import { unreachable } from "#base/unreachable.ts";
import { compareText } from "#engine/graph/order.ts";
import type { Action, ObservedInstance, Step } from "./plan.ts";

/** A plan in the making: collects steps under stable ids. */
export interface Draft {
  /** Adds a step and returns its id. `after` may name steps twice, and steps of other services. */
  add(action: Action, reason: string, after: readonly string[]): string;
  note(text: string): void;
  /** As much of a hash as tells the specs of the plan apart. */
  short(spec: string): string;
  /** The id of the step that stops this instance. */
  stopOf(instance: string): string | undefined;
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

/** `specs`: all that may come up. */
export function makeDraft(specs: readonly string[]): Draft {
  const steps: Step[] = [];
  const notes: string[] = [];
  const ids = new Set<string>();
  const stops = new Map<string, string>();
  const length = distinctLength(specs);
  const short = (spec: string) => spec.slice(0, length);
  return {
    steps,
    notes,
    add(action, reason, after) {
      const base = `${action.service} ${action.kind} ${objectOf(action, short)}`;
      let id = base;
      for (let n = 2; ids.has(id); n++) id = `${base} (${n})`;
      ids.add(id);
      if (action.kind === "stop") stops.set(action.instance, id);
      steps.push({ id, action, reason, after: [...new Set(after)].sort(compareText) });
      return id;
    },
    short,
    note: (text) => void notes.push(text),
    stopOf: (instance) => stops.get(instance),
  };
}

/** Lets the open requests of an instance end and stops it; its output stays. Returns the last step. */
export function addStop(draft: Draft, one: ObservedInstance, reason: string, after: readonly string[]): string {
  const on = { service: one.service, instance: one.id };
  // Also for one that is not routed: whoever switched away from it may have been broken off before its requests ended.
  const drained = draft.add({ kind: "drain", ...on }, "open requests may end", after);
  return draft.add({ kind: "stop", ...on }, reason, [drained]);
}

/** Stops an instance and forgets it. Returns the step after which it does not run any more. */
export function addRetire(draft: Draft, one: ObservedInstance, reason: string, after: readonly string[]): string {
  const stopped = addStop(draft, one, reason, after);
  addRemove(draft, one, reason, [stopped]);
  return stopped;
}

export function addRemove(draft: Draft, one: ObservedInstance, reason: string, after: readonly string[]): string {
  return draft.add({ kind: "remove", service: one.service, instance: one.id }, reason, after);
}

function objectOf(action: Action, short: (spec: string) => string): string {
  switch (action.kind) {
    case "start":
      return `${action.replica} ${short(action.spec)}`;
    case "check":
      return short(action.spec);
    case "switch":
      return action.spec === undefined ? "to none" : short(action.spec);
    case "drain":
    case "stop":
    case "remove":
      return action.instance;
    default:
      return unreachable(action);
  }
}

const shortestLength = 6;

function distinctLength(specs: readonly string[]): number {
  const distinct = [...new Set(specs)];
  const longest = Math.max(shortestLength, ...distinct.map(({ length }) => length));
  for (let length = shortestLength; length < longest; length++) {
    if (new Set(distinct.map((spec) => spec.slice(0, length))).size === distinct.length) return length;
  }
  return longest;
}
