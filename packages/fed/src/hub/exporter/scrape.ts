import { setImmediate as giveWay } from "node:timers/promises";
import { addRow, type Rows, rowsOf } from "#engine/exposition/rows.ts";
import { isMistake, readSeries } from "#engine/exposition/series-text.ts";
import type { ExpositionFormat, MetricNote } from "#engine/exposition/text.ts";
import { openTextReader, type TextSink } from "#engine/exposition/text-memory.ts";
import { type Labels, labelsKey, labelsOf, metricName } from "#engine/series/labels.ts";
import { setStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/batch.ts";
import { nameOf } from "#engine/tsdb/block.ts";
import { faultOfLabels, usualLimits } from "#engine/tsdb/limit.ts";
import { labelsOfTarget } from "./exporter.ts";

/** Samples of one scrape; one with more is taken for a mistake, and nothing of it. */
export const mostSamples = 10_000;
/** What is read at a time, and then others have their turn: 0.3 ms, or 10 ms of what is all new while the code is still slow. */
const sliceBytes = 32 * 1024;
const mostLineBytes = 1024 * 1024;
/** Of the texts of series that are known again; what comes beyond is read as if it were new. */
const knownSeries = 2 * mostSamples;
const knownLetters = 8 * 1024 * 1024;

/** What one scrape brings. */
export interface Take {
  readonly batch: Batch;
  /** The last rows of the batch are the ends of series: so many. */
  readonly ends: number;
  /** Why nothing of it is taken; "" when it is. */
  readonly error: string;
  /** Why some of it is not; "" when all is. */
  readonly lacks: string;
}

export interface Answer {
  readonly bytes: Uint8Array;
  readonly format: ExpositionFormat;
}

/** What an exporter tells, from scrape to scrape: its series, and which of them have ended. */
export interface Scraper {
  /** `answer` is why there is none, or what it said; `tookMs` is asked when all of it has been read. */
  take(answer: Answer | string, atMs: number, tookMs: () => number): Promise<Take>;
  /** It is not scraped any more: all its series end. */
  end(atMs: number): Batch;
}

/** A series as it is told. */
interface Told {
  readonly labels: Labels;
  /** Why the store would not take it. */
  readonly unfit: string | undefined;
  /** In which scrape it was last told, and in which without a time of its own: only those end by not being told. */
  seen: number;
  tracked: number;
}

export function openScraper(own: Readonly<Record<string, string>>, note: (note: MetricNote) => void): Scraper {
  const named = (name: string) => labelsOf({ ...own, [metricName]: name });
  const reports = [
    ...[named("up"), named("scrape_duration_seconds"), named("scrape_samples_scraped")],
    ...[named("scrape_samples_post_metric_relabeling"), named("scrape_series_added")],
  ];
  const reserved = new Set(reports.map(labelsKey));
  const read = openTextReader<Told>(
    (text) => {
      const series = readSeries(text);
      if (isMistake(series)) return { wrong: series.message };
      const labels = labelsOfTarget(series, own);
      const unfit = reserved.has(labelsKey(labels)) ? "that is fed's to tell" : faultOfLabels(labels, usualLimits);
      return { labels, unfit, seen: -2, tracked: -2 };
    },
    knownSeries,
    knownLetters,
  );
  /** The series that end when they are not told again. */
  let before: readonly Told[] = [];
  let [round, lastGood, room] = [0, -1, 64];

  /** Why it cannot be taken; "" when all of it has been read. */
  async function readAll({ bytes, format }: Answer, reading: Reading, atMs: number): Promise<string> {
    const sink = sinkOf(reading, { round, lastGood, atMs }, note);
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    for (const slice of slicesOf(bytes)) {
      if (slice === undefined) return "a line of it has no end";
      if (reading.lines > 0) await giveWay();
      const text = decode(decoder, slice);
      if (text === undefined) return "what it sends is no UTF-8 text";
      read(text, format, sink);
      if (reading.mistake !== "") return reading.mistake;
      if (reading.samples > mostSamples) return `it tells more than ${mostSamples.toLocaleString("en")} series`;
      reading.lines += countLines(text);
    }
    return format === "openmetrics" && !endsAsOpenMetrics(bytes) ? "what it sends does not end with # EOF" : "";
  }

  /** Those that were told the last time and are not now. The same series may be written in another way now. */
  function takeGone(good: Reading | undefined): readonly Labels[] {
    const missing = good === undefined ? before : before.filter((one) => one.tracked !== round);
    before = good?.tracked ?? [];
    if (missing.length === 0) return [];
    const anew = new Set(good?.fresh.map(({ labels }) => labelsKey(labels)));
    return missing.flatMap(({ labels }) => (anew.has(labelsKey(labels)) ? [] : [labels]));
  }

  return {
    async take(answer, atMs, tookMs) {
      round++;
      const reading = newReading(room);
      const error = typeof answer === "string" ? answer : await readAll(answer, reading, atMs);
      const good = error === "" ? reading : undefined;
      const gone = takeGone(good);
      if (good !== undefined) [lastGood, room] = [round, good.rows.count + 64];
      const { samples, fresh } = reading;
      const told = [good === undefined ? 0 : 1, tookMs() / 1_000, samples, samples, fresh.length];
      return {
        batch: batchOf({ labels: reports, values: told }, good?.rows, gone, atMs),
        ...{ ends: gone.length, error, lacks: good === undefined ? "" : lacksOf(good) },
      };
    },
    end(atMs) {
      const gone = before.map(({ labels }) => labels);
      before = [];
      return batchOf({ labels: [], values: [] }, undefined, [...gone, ...reports], atMs);
    },
  };
}

/** What has been read of one scrape. */
interface Reading {
  readonly rows: Rows<Labels>;
  readonly tracked: Told[];
  /** Not told in the scrape before. */
  readonly fresh: Told[];
  samples: number;
  lines: number;
  mistake: string;
  dropped: number;
  firstDropped: string;
}

function newReading(room: number): Reading {
  const none = { samples: 0, lines: 0, mistake: "", dropped: 0, firstDropped: "" };
  return { rows: rowsOf<Labels>(room), tracked: [], fresh: [], ...none };
}

function sinkOf(
  reading: Reading,
  { round, lastGood, atMs }: { readonly round: number; readonly lastGood: number; readonly atMs: number },
  note: (note: MetricNote) => void,
): TextSink<Told> {
  const drop = (why: string) => {
    if (reading.dropped++ === 0) reading.firstDropped = why;
  };
  return {
    note,
    sample(told, value, timeMs) {
      if (reading.mistake !== "") return;
      reading.samples++;
      if (told.unfit !== undefined) return drop(`${nameOf(told.labels).slice(0, 200)}: ${told.unfit}`);
      if (told.tracked === round) return drop(`${nameOf(told.labels).slice(0, 200)} is told twice`);
      if (told.seen < lastGood) reading.fresh.push(told);
      told.seen = round;
      if (timeMs === undefined) {
        told.tracked = round;
        reading.tracked.push(told);
      }
      addRow(reading.rows, told.labels, timeMs ?? atMs, value);
    },
    // One line that cannot be read makes the others doubtful: so it is with Prometheus.
    mistake(line, message) {
      if (reading.mistake === "") reading.mistake = `line ${reading.lines + line} of what it sends: ${message}`;
    },
  };
}

function lacksOf({ dropped, firstDropped }: Reading): string {
  return dropped === 0 ? "" : `${dropped} of its samples ${dropped === 1 ? "is" : "are"} not kept: ${firstDropped}`;
}

/** The reports first: they come in each scrape at the same place. */
function batchOf(
  reports: { readonly labels: readonly Labels[]; readonly values: readonly number[] },
  rows: Rows<Labels> | undefined,
  gone: readonly Labels[],
  atMs: number,
): Batch {
  const labels = [...reports.labels, ...(rows?.of ?? []), ...gone];
  const [times, values] = [new Float64Array(labels.length).fill(atMs), new Float64Array(labels.length)];
  values.set(reports.values);
  if (rows !== undefined) {
    times.set(rows.times.subarray(0, rows.count), reports.labels.length);
    values.set(rows.values.subarray(0, rows.count), reports.labels.length);
  }
  for (let i = labels.length - gone.length; i < labels.length; i++) setStale(values, i);
  return { labels, times, values };
}

const newline = 10;

/** Whole lines, some at a time; undefined for a line that is too long. */
function* slicesOf(bytes: Uint8Array): Generator<Uint8Array | undefined> {
  for (let at = 0; at < bytes.length; ) {
    const found = at + sliceBytes >= bytes.length ? bytes.length - 1 : bytes.indexOf(newline, at + sliceBytes);
    const end = found < 0 ? bytes.length : found + 1;
    if (end - at > sliceBytes + mostLineBytes) return yield undefined;
    yield bytes.subarray(at, end);
    at = end;
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

const endMark = Buffer.from("# EOF");

/** An OpenMetrics says where it ends, so that half of one is not taken for all. */
function endsAsOpenMetrics(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(endMark); at >= 0; at = buffer.indexOf(endMark, at + 1)) {
    if (at > 0 && buffer[at - 1] !== newline) continue;
    const rest = buffer.length - at - endMark.length;
    return rest === 0 || (rest === 1 && buffer.at(-1) === newline);
  }
  return false;
}
