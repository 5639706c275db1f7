import { setImmediate as giveWay } from "node:timers/promises";
import type { Answer, Result } from "#engine/promql/result.ts";
import { type Labels, labelsToRecord } from "#engine/series/labels.ts";

/** Longest stretch of writing without giving way. */
const sliceMs = 6;

/** The JSON of Prometheus' envelope around a value. */
export function writeAnswer(data: unknown, warnings: readonly string[] = []): string {
  return close(JSON.stringify(data), warnings, []);
}

/**
 * The result of a query in Prometheus' envelope; of its series `limit` at most. Written by hand, because an answer may have
 * millions of values; gives way to others meanwhile.
 */
export async function writeResult({ answer, warnings, infos }: Result, limit = 0): Promise<string> {
  const all = countOf(answer);
  const most = limit > 0 && limit < all ? limit : all;
  const { type, parts } = partsOf(answer, most);
  const texts: string[] = [];
  let beganMs = performance.now();
  for (const part of parts) {
    texts.push(part);
    if (performance.now() - beganMs < sliceMs) continue;
    await giveWay();
    beganMs = performance.now();
  }
  const result = type === "vector" || type === "matrix" ? `[${texts.join(",")}]` : texts.join("");
  const cut = most < all ? ["results truncated due to limit"] : [];
  return close(`{"resultType":"${type}","result":${result}}`, [...warnings, ...cut], infos);
}

function close(data: string, warnings: readonly string[], infos: readonly string[]): string {
  const said = (name: string, list: readonly string[]) => (list.length > 0 ? `,"${name}":${JSON.stringify(list)}` : "");
  return `{"status":"success","data":${data}${said("warnings", warnings)}${said("infos", infos)}}`;
}

function countOf(answer: Answer): number {
  if (answer.kind === "vector") return answer.points.length;
  if (answer.kind === "matrix") return answer.columns.length;
  return answer.kind === "samples" ? answer.series.length : 1;
}

function partsOf(answer: Answer, most: number): { readonly type: string; readonly parts: Iterable<string> } {
  switch (answer.kind) {
    case "scalar":
      return { type: "scalar", parts: [sample(answer.atMs, answer.value)] };
    case "string":
      return { type: "string", parts: [`[${answer.atMs / 1_000},${JSON.stringify(answer.value)}]`] };
    case "vector":
      return { type: "vector", parts: points(answer, most) };
    case "matrix":
      return { type: "matrix", parts: columns(answer, most) };
    case "samples":
      return { type: "matrix", parts: samples(answer, most) };
  }
}

function* points({ points: all, atMs }: Extract<Answer, { kind: "vector" }>, most: number): Iterable<string> {
  for (const { labels, value } of all.slice(0, most)) {
    yield `{"metric":${metric(labels)},"value":${sample(atMs, value)}}`;
  }
}

function* columns(matrix: Extract<Answer, { kind: "matrix" }>, most: number): Iterable<string> {
  const { startMs, stepMs } = matrix;
  const times = Array.from({ length: matrix.steps }, (_, i) => `[${(startMs + i * stepMs) / 1_000},"`);
  for (const { labels, values, present } of matrix.columns.slice(0, most)) {
    let text = "";
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      text += `${text === "" ? "" : ","}${times[i]}${formatValue(values[i] as number)}"]`;
    }
    yield `{"metric":${metric(labels)},"values":[${text}]}`;
  }
}

function* samples({ series }: Extract<Answer, { kind: "samples" }>, most: number): Iterable<string> {
  for (const { labels, times, values } of series.slice(0, most)) {
    const all = Array.from(times, (timeMs, i) => sample(timeMs, values[i] as number));
    yield `{"metric":${metric(labels)},"values":[${all.join(",")}]}`;
  }
}

const metric = (labels: Labels) => JSON.stringify(labelsToRecord(labels));

const sample = (timeMs: number, value: number) => `[${timeMs / 1_000},"${formatValue(value)}"]`;

/** As Prometheus' API writes a float. */
function formatValue(value: number): string {
  if (Number.isFinite(value)) {
    const text = Object.is(value, -0) ? "-0" : String(value);
    // Its exponents have two digits at least.
    return text.includes("e") ? text.replace(/e([+-])(\d)$/, "e$10$2") : text;
  }
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
