import { evaluate } from "../../packages/fed/src/engine/promql/evaluate.ts";
import { parse } from "../../packages/fed/src/engine/promql/parse.ts";
import type { Answer } from "../../packages/fed/src/engine/promql/result.ts";
import { type Labels, labelsKey, labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Queryable } from "../../packages/fed/src/engine/series/queryable.ts";
import type { ApiAnswer } from "./real-prometheus.ts";

export async function askOurs(
  queryable: Queryable,
  query: string,
  span: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<Answer | Error> {
  try {
    return (await evaluate(parse(query), span, queryable)).answer;
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

/** Values by labels and time. */
type Found = Map<string, Map<number, number>>;

/** What is different in words; undefined when both answer the same to nine digits, or both fail. */
export function compare(answer: Answer | Error, theirs: ApiAnswer): string | undefined {
  if (answer instanceof Error) return theirs.error === undefined ? `failed: ${answer.message}` : undefined;
  if (theirs.data === undefined) return `did not fail with: ${theirs.error}`;
  const [mine, wanted] = [foundOf(answer), wantedOf(theirs.data)];
  for (const [key, cells] of wanted) {
    const own = mine.get(key);
    if (own === undefined) return `lacks ${key}`;
    if (own.size !== cells.size) return `has ${own.size} points of ${key}, not ${cells.size}`;
    for (const [time, value] of cells) {
      if (!isNear(own.get(time), value)) return `has ${own.get(time)} for ${key} at ${time}, not ${value}`;
    }
  }
  const extra = [...mine.keys()].find((key) => !wanted.has(key));
  return extra === undefined ? undefined : `has ${extra} besides`;
}

function isNear(a: number | undefined, b: number): boolean {
  if (a === undefined) return false;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

function foundOf(answer: Answer): Found {
  const keyOf = (labels: Labels) => labelsKey(labels);
  if (answer.kind === "scalar") return new Map([["", new Map([[answer.atMs, answer.value]])]]);
  if (answer.kind === "vector") {
    return new Map(answer.points.map(({ labels, value }) => [keyOf(labels), new Map([[answer.atMs, value]])]));
  }
  if (answer.kind !== "matrix") return new Map();
  return new Map(
    answer.columns.map(({ labels, values, present }) => {
      const cells = Array.from(values, (value, i) => [answer.startMs + i * answer.stepMs, value] as const);
      return [keyOf(labels), new Map(cells.filter((_, i) => present[i] === 1))];
    }),
  );
}

type Cell = readonly [seconds: number, value: string];

export function wantedOf({ resultType, result }: { readonly resultType: string; readonly result: unknown }): Found {
  const cellOf = ([seconds, value]: Cell) => [Math.round(seconds * 1000), numberOf(value)] as const;
  if (resultType === "scalar") return new Map([["", new Map([cellOf(result as Cell)])]]);
  const all = result as readonly { metric: Record<string, string>; value?: Cell; values?: readonly Cell[] }[];
  return new Map(
    all.map(({ metric, value, values }) => {
      const cells = values ?? (value === undefined ? [] : [value]);
      return [labelsKey(labelsOf(metric)), new Map(cells.map(cellOf))];
    }),
  );
}

function numberOf(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}
