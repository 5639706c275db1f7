import { Fault } from "#base/fault.ts";
import { type Labels, labelsKey, metricName } from "../../series/labels.ts";
import { quote } from "../quote.ts";
import { type Draft, type Frame, isEmpty, type Query, type Visit } from "./query.ts";

/** Labels that say what the metric is; an operation that makes it another quantity takes them away. */
const metadataNames: readonly string[] = [metricName, "__type__", "__unit__"];

export function withoutMetadata(labels: Labels): Labels {
  return labels.some((_, i) => i % 2 === 0 && metadataNames.includes(labels[i] as string))
    ? keepLabels(labels, (name) => !metadataNames.includes(name))
    : labels;
}

export function keepLabels(labels: Labels, keep: (name: string) => boolean): Labels {
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    if (keep(labels[i] as string)) kept.push(labels[i] as string, labels[i + 1] as string);
  }
  return kept;
}

/** With one label set to a value; taken away by the empty value. */
export function setLabel(labels: Labels, name: string, value: string): Labels {
  const kept = keepLabels(labels, (other) => other !== name) as string[];
  if (value === "") return kept;
  let at = 0;
  while (at < kept.length && (kept[at] as string) < name) at += 2;
  kept.splice(at, 0, name, value);
  return kept;
}

/** Takes the metric's name off a series whose meaning has changed, or notes that this is to be done. */
export function dropName(query: Query, draft: Draft): void {
  if (query.delayNames) draft.dropName = true;
  else draft.labels = withoutMetadata(draft.labels);
}

/** Puts series of the same labels together, gaps of one filled by the other; two values at one moment are a Fault. */
export interface Merger {
  add(draft: Draft): void;
  readonly drafts: readonly Draft[];
}

export function openMerger(): Merger {
  const known = new Map<string, Draft>();
  return {
    add(draft) {
      // A name that will go and one that stays are two.
      const key = `${draft.dropName ? "-" : "+"}${labelsKey(draft.labels)}`;
      const first = known.get(key);
      if (first === undefined) known.set(key, draft);
      else mergeInto(first, draft);
    },
    get drafts() {
      return [...known.values()];
    },
  };
}

function mergeInto(first: Draft, draft: Draft): void {
  for (let i = 0; i < draft.present.length; i++) {
    if (draft.present[i] === 0) continue;
    if (first.present[i] === 1) throw sameLabels();
    first.present[i] = 1;
    first.values[i] = draft.values[i] as number;
  }
}

export function sameLabels(): Fault {
  return new Fault("invalid", "vector cannot contain metrics with the same labelset", {
    hint: "Two series differ only by the metric's name, which this operation takes away. Select one name, or aggregate.",
  });
}

/**
 * Series whose names are to go, where two may become the same. `strict`: even when they have no moment in common, as
 * functions over ranges have it.
 */
export async function streamMerged(
  query: Query,
  frame: Frame,
  strict: boolean,
  source: (visit: Visit) => Promise<void>,
  visit: Visit,
): Promise<void> {
  const merger = openMerger();
  let count = 0;
  await source((draft) => {
    query.budget.hold(frame.steps);
    count++;
    merger.add(draft);
  });
  const { drafts } = merger;
  if (strict && drafts.length < count) throw sameLabels();
  for (const draft of drafts) {
    if (!isEmpty(draft)) visit(draft);
    if (query.budget.due) await query.budget.rest();
  }
}

/** By code units, name and value in turn, as a store sorts series. */
export function compareLabels(a: Labels, b: Labels): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const [left, right] = [a[i] as string, b[i] as string];
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** `{__name__="up", job="api"}`, as messages have it. */
export function printLabels(labels: Labels): string {
  const parts: string[] = [];
  for (let i = 0; i < labels.length; i += 2) parts.push(`${labels[i]}=${quote(labels[i + 1] as string)}`);
  return `{${parts.join(", ")}}`;
}
