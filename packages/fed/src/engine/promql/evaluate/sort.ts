import type { Budget } from "./budget.ts";

/** What is sorted in one go: a millisecond or two. */
const runLength = 1000;

/** Sorts, stably, and gives way to others meanwhile: a hundred thousand series take longer than anybody should wait. */
export async function sortInTurns<T>(items: T[], compare: (a: T, b: T) => number, budget: Budget): Promise<T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += runLength) {
    runs.push(items.slice(at, at + runLength).sort(compare));
    if (budget.due) await budget.rest();
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let i = 0; i < runs.length; i += 2)
      longer.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], compare, budget));
    runs = longer;
  }
  return runs[0] ?? [];
}

async function merge<T>(left: T[], right: T[], compare: (a: T, b: T) => number, budget: Budget): Promise<T[]> {
  const [last, first] = [left.at(-1), right[0]];
  if (last === undefined || first === undefined || compare(last, first) <= 0) return left.concat(right);
  const merged: T[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const takesLeft = r === right.length || (l < left.length && compare(left[l] as T, right[r] as T) <= 0);
    merged.push((takesLeft ? left[l++] : right[r++]) as T);
    if (merged.length % runLength === 0 && budget.due) await budget.rest();
  }
  return merged;
}
