import { Fault } from "#base/fault.ts";
import { type Labels, labelsKey } from "../../series/labels.ts";
import type { Aggregation, Expr } from "../ast.ts";
import { compareLabels } from "./name.ts";
import { formatShort } from "./note.ts";
import { collect, type Draft, eachInTurn, type Frame, isEmpty, type Query, type Visit } from "./query.ts";
import { sortInTurns } from "./sort.ts";

/** Series in the order in which they came, and their value at one moment. */
interface Entry {
  readonly index: number;
  readonly value: number;
}

type Less = (a: number, b: number) => boolean;

/** NaN is less than all: it goes first where there are more than k. */
const smallest: Less = (a, b) => a < b || Number.isNaN(a);
const greatest: Less = (a, b) => a > b || Number.isNaN(a);

/** `topk` and `bottomk`; at a single moment in the order of the values. */
export async function streamRanked(
  query: Query,
  expr: Aggregation,
  frame: Frame,
  groupLabels: (expr: Aggregation, labels: Labels) => Labels,
  visit: Visit,
): Promise<void> {
  const params = await query.scalar(expr.param as Expr, frame);
  const collected = await collect(query, expr.expr, frame);
  if (!checkParams(params)) return;
  // Of one moment they come in the order that decides between equal values; of many in the store's.
  const drafts =
    frame.steps === 1
      ? collected
      : await sortInTurns(collected, (a, b) => compareLabels(a.labels, b.labels), query.budget);
  const kept = drafts.map(() => new Uint8Array(frame.steps));
  const groups = new Map<string, number[]>();
  await eachInTurn(query, drafts.keys(), (index) => {
    const key = labelsKey(groupLabels(expr, (drafts[index] as Draft).labels));
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [index]);
    else members.push(index);
  });
  const less = expr.op === "topk" ? smallest : greatest;
  const order: number[] = [];
  for (const members of groups.values()) {
    for (let step = 0; step < frame.steps; step++) {
      const count = Math.min(Math.trunc(params[step] as number), drafts.length);
      if (count < 1) continue;
      for (const { index } of best(drafts, members, step, count, less)) {
        (kept[index] as Uint8Array)[step] = 1;
        if (frame.steps === 1) order.push(index);
      }
      if (query.budget.due) await query.budget.rest();
    }
  }
  await eachInTurn(query, frame.steps === 1 ? order : drafts.keys(), (index) => {
    const draft = { ...(drafts[index] as Draft), present: kept[index] as Uint8Array<ArrayBuffer> };
    if (!isEmpty(draft)) visit(draft);
  });
}

/** False when no step asks for any. */
function checkParams(params: Float64Array): boolean {
  const [max, min] = [params.reduce((a, b) => Math.max(a, b)), params.reduce((a, b) => Math.min(a, b))];
  if (max < 1) return false;
  const bad = (words: string) =>
    new Fault("invalid", words, { hint: "topk and bottomk take how many series to keep." });
  if (Number.isNaN(max)) throw bad("Parameter value is NaN");
  if (min <= -(2 ** 63)) throw bad(`Scalar value ${formatShort(min)} underflows int64`);
  if (max >= 2 ** 63 - 1024) throw bad(`Scalar value ${formatShort(max)} overflows int64`);
  return true;
}

/** The best of a group at one step, best first. The heap holds the worst of those kept on top. */
function best(drafts: readonly Draft[], members: readonly number[], step: number, count: number, less: Less): Entry[] {
  const heap: Entry[] = [];
  let worst = Number.NaN;
  for (const index of members) {
    const { present, values } = drafts[index] as Draft;
    if (present[step] === 0) continue;
    const value = values[step] as number;
    if (heap.length < count) {
      heap.push({ index, value });
      siftUp(heap, less);
    } else if (less(worst, value) && !Number.isNaN(value)) {
      heap[0] = { index, value };
      siftDown(heap, less);
    } else continue;
    worst = (heap[0] as Entry).value;
  }
  return heap.sort((a, b) => compareEntries(a, b, less));
}

function compareEntries(a: Entry, b: Entry, less: Less): number {
  if (Number.isNaN(a.value) || Number.isNaN(b.value)) {
    return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || a.index - b.index;
  }
  if (a.value === b.value) return a.index - b.index;
  return less(b.value, a.value) ? -1 : 1;
}

function siftUp(heap: Entry[], less: Less): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!less((heap[at] as Entry).value, (heap[parent] as Entry).value)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function siftDown(heap: Entry[], less: Less): void {
  const value = (at: number) => (heap[at] as Entry).value;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) return;
    const right = child + 1;
    if (right < heap.length && less(value(right), value(child))) child = right;
    if (!less(value(child), value(at))) return;
    swap(heap, at, child);
    at = child;
  }
}

function swap(heap: Entry[], a: number, b: number): void {
  const kept = heap[a] as Entry;
  heap[a] = heap[b] as Entry;
  heap[b] = kept;
}
