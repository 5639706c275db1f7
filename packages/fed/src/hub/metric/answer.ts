import type { Answer, Result } from "#engine/promql/result.ts";
import { type Labels, labelsToRecord } from "#engine/series/labels.ts";
import { finish, isFull, type Sheet, sheetOf, tear, writeAscii, writeNumber, writeText } from "./sheet.ts";

/** UTF-8 in the order in which it is sent. */
export type Pieces = Iterable<Uint8Array<ArrayBuffer>>;

/** The JSON of Prometheus' envelope around a value. */
export function writeAnswer(data: unknown, warnings: readonly string[] = []): string {
  return `${head}${JSON.stringify(data)}${tail(warnings, [])}`;
}

const head = `{"status":"success","data":`;

function tail(warnings: readonly string[], infos: readonly string[]): string {
  return `${said("warnings", "warning", warnings)}${said("infos", "info", infos)}}`;
}

/** As Prometheus cuts them. */
const mostSaid = 10;

function said(name: string, kind: string, list: readonly string[]): string {
  if (list.length === 0) return "";
  const left = list.length - mostSaid;
  const shown = left > 0 ? [...list.slice(0, mostSaid), `${left} more ${kind} annotations omitted`] : list;
  return `,"${name}":${JSON.stringify(shown)}`;
}

const truncated = "results truncated due to limit";

/** The result of a query in Prometheus' envelope; of its series `limit` at most, 0 for all. */
export function* piecesOfResult({ answer, warnings, infos }: Result, limit = 0): Pieces {
  const all = countOf(answer);
  const most = limit > 0 && limit < all ? limit : all;
  const sheet = sheetOf();
  const type = answer.kind === "samples" ? "matrix" : answer.kind;
  writeText(sheet, `${head}{"resultType":"${type}","result":`);
  yield* writeData(sheet, answer, most);
  writeText(sheet, `}${tail(most < all ? [truncated, ...warnings] : warnings, infos)}`);
  yield finish(sheet);
}

/** A list in the envelope, cut as a result is. */
export function* piecesOfList<T>(found: readonly T[], limit: number, print: (one: T) => unknown): Pieces {
  const most = limit > 0 && limit < found.length ? limit : found.length;
  const sheet = sheetOf();
  writeText(sheet, `${head}[`);
  for (let i = 0; i < most; i++) {
    writeText(sheet, `${i > 0 ? "," : ""}${JSON.stringify(print(found[i] as T))}`);
    if (isFull(sheet)) yield tear(sheet);
  }
  writeText(sheet, `]${tail(most < found.length ? [truncated] : [], [])}`);
  yield finish(sheet);
}

function countOf(answer: Answer): number {
  if (answer.kind === "vector") return answer.points.length;
  if (answer.kind === "matrix") return answer.columns.length;
  return answer.kind === "samples" ? answer.series.length : 1;
}

function* writeData(sheet: Sheet, answer: Answer, most: number): Pieces {
  if (answer.kind === "string") return writeText(sheet, `[${answer.atMs / 1_000},${JSON.stringify(answer.value)}]`);
  if (answer.kind === "scalar") return writeCell(sheet, cellHead(answer.atMs), answer.value);
  writeAscii(sheet, "[");
  if (answer.kind === "vector") yield* writePoints(sheet, answer, most);
  else yield* answer.kind === "matrix" ? writeColumns(sheet, answer, most) : writeSamples(sheet, answer, most);
  writeAscii(sheet, "]");
}

function* writePoints(sheet: Sheet, { points, atMs }: Extract<Answer, { kind: "vector" }>, most: number): Pieces {
  const time = cellHead(atMs);
  for (let i = 0; i < most; i++) {
    const { labels, value } = points[i] as (typeof points)[number];
    writeText(sheet, `${i > 0 ? "," : ""}{"metric":${metric(labels)},"value":`);
    writeCell(sheet, time, value);
    writeAscii(sheet, "}");
    if (isFull(sheet)) yield tear(sheet);
  }
}

function* writeColumns(sheet: Sheet, matrix: Extract<Answer, { kind: "matrix" }>, most: number): Pieces {
  const { startMs, stepMs } = matrix;
  const times = Array.from({ length: matrix.steps }, (_, i) => cellHead(startMs + i * stepMs));
  for (let nth = 0; nth < most; nth++) {
    const { labels, values, present } = matrix.columns[nth] as (typeof matrix.columns)[number];
    writeText(sheet, `${nth > 0 ? "," : ""}{"metric":${metric(labels)},"values":[`);
    let i = present.indexOf(1);
    if (i >= 0) writeCell(sheet, times[i] as string, values[i] as number);
    for (i++; i > 0 && i < present.length; ) {
      i = writeMore(sheet, i, values, present, times);
      if (isFull(sheet)) yield tear(sheet);
    }
    writeAscii(sheet, "]}");
  }
}

/** Cells with a comma before each, until there is no more room; returns the index to go on with. */
function writeMore(
  sheet: Sheet,
  begin: number,
  values: Float64Array,
  present: Uint8Array,
  times: readonly string[],
): number {
  let i = begin;
  for (; i < values.length && !isFull(sheet); i++) {
    if (present[i] !== 1) continue;
    sheet.data[sheet.at++] = comma;
    writeCell(sheet, times[i] as string, values[i] as number);
  }
  return i;
}

function* writeSamples(sheet: Sheet, { series }: Extract<Answer, { kind: "samples" }>, most: number): Pieces {
  for (let nth = 0; nth < most; nth++) {
    const { labels, times, values } = series[nth] as (typeof series)[number];
    writeText(sheet, `${nth > 0 ? "," : ""}{"metric":${metric(labels)},"values":[`);
    for (let i = 0; i < times.length; i++) {
      if (i > 0) sheet.data[sheet.at++] = comma;
      writeCell(sheet, cellHead(times[i] as number), values[i] as number);
      if (isFull(sheet)) yield tear(sheet);
    }
    writeAscii(sheet, "]}");
  }
}

const comma = 44;

const metric = (labels: Labels) => JSON.stringify(labelsToRecord(labels));

const cellHead = (timeMs: number) => `[${timeMs / 1_000},"`;

/** For which there must be room. */
function writeCell(sheet: Sheet, beginning: string, value: number): void {
  writeAscii(sheet, beginning);
  writeNumber(sheet, value);
  writeAscii(sheet, `"]`);
}
