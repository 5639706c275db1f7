import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as breathe } from "node:timers/promises";
import { errorCode } from "#disk/file-fault.ts";
import type { Labels } from "../series/labels.ts";
import { wordsOf } from "./codec.ts";
import type { Damage } from "./file.ts";
import { isBefore, type Place } from "./place.ts";
import type { WalFile } from "./wal.ts";
import { decodeRecord, findRecord, type NamedSeries, type Rows, sizeOfRecord, skimRecord } from "./wal-record.ts";

export interface TailNeeds {
  /** What there is to read now, by number; grows at its end, and loses files at its begin. */
  files(): readonly WalFile[];
  /** The same labels as the store's own array, when it knows the series. */
  intern(labels: Labels): Labels;
  damaged(damage: Damage): void;
}

/** Samples in the order in which they were committed. */
export interface TailRows {
  readonly labels: readonly Labels[];
  readonly times: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

export interface TailLimit {
  readonly rows: number;
  /** Of the names and samples, roughly. */
  readonly bytes: number;
}

interface OpenFile {
  readonly number: number;
  readonly path: string;
  readonly handle: FileHandle;
  readonly series: Map<number, Labels>;
  /** A stretch of the file, from `start` on. */
  start: number;
  data: Uint8Array;
}

interface Record {
  readonly at: number;
  readonly sizeBytes: number;
  readonly rows: Rows;
}

interface Taken {
  readonly labels: Labels[];
  readonly times: number[];
  readonly words: number[];
  readonly named: Set<Labels>;
  bytes: number;
}

const stretchBytes = 256 * 1024;
const noRows: Rows = { ids: new Float64Array(0), times: new Float64Array(0), values: new Float64Array(0) };

/** Reads the log's samples behind a place, as far as they are promised. What cannot be read is passed over, and named. */
export class Tail {
  readonly #needs: TailNeeds;
  #place: Place;
  #file: OpenFile | undefined;
  /** Of this file; kept, because a large commit is read in many turns. */
  #record: Record | undefined;

  constructor(needs: TailNeeds, place: Place) {
    this.#needs = needs;
    this.#place = place;
  }

  get place(): Place {
    return this.#place;
  }

  /** Goes on from another place. */
  seek(place: Place): void {
    this.#place = place;
  }

  /** The next samples: as many as the limit allows, or all before `until`. None when there are no more yet. */
  async read(limit: TailLimit, until?: Place): Promise<TailRows> {
    const taken: Taken = { labels: [], times: [], words: [], named: new Set(), bytes: 0 };
    const full = () => until === undefined && (taken.labels.length >= limit.rows || taken.bytes >= limit.bytes);
    while (!full() && (until === undefined || isBefore(this.#place, until))) {
      const record = await this.#next();
      if (record === undefined) break;
      const count = record.rows.ids.length;
      const end = until?.file === this.#place.file && until.at === record.at ? Math.min(until.row, count) : count;
      const words = wordsOf(record.rows.values);
      let { row } = this.#place;
      for (; row < end && !full(); row++) {
        const labels = this.#file?.series.get(record.rows.ids[row] as number);
        if (labels !== undefined) take(taken, labels, record.rows.times[row] as number, words, row);
      }
      const { at, sizeBytes } = record;
      this.#place = row < count ? { ...this.#place, row } : { ...this.#place, at: at + sizeBytes, row: 0 };
    }
    const values = new Float64Array(Uint32Array.from(taken.words).buffer);
    return { labels: taken.labels, times: Float64Array.from(taken.times), values };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#record = undefined;
    await file?.handle.close();
  }

  /** The record at the place, or the next one that can be read. */
  async #next(): Promise<Record | undefined> {
    for (;;) {
      const file = await this.#open();
      if (file === undefined) return undefined;
      const { at } = this.#place;
      if (this.#record?.at === at) return this.#record;
      const sizeBytes = this.#needs.files().find(({ number }) => number === file.number)?.sizeBytes ?? at;
      if (at >= sizeBytes) {
        if (!this.#later(file.number)) return undefined;
        this.#place = { file: this.#later(file.number)?.number ?? file.number, at: 0, row: 0 };
        continue;
      }
      const found = await this.#decode(file, at, sizeBytes);
      if (found === undefined) {
        await this.#passOver(file, at, sizeBytes);
        continue;
      }
      const { record } = found;
      const rows = record.kind === "samples" ? record.rows : noRows;
      if (record.kind === "samples") this.#learn(file, record.named);
      this.#record = { at, sizeBytes: found.sizeBytes, rows };
      return this.#record;
    }
  }

  #later(number: number): WalFile | undefined {
    return this.#needs.files().find((file) => file.number > number);
  }

  async #decode(file: OpenFile, at: number, sizeBytes: number) {
    const needed = await this.#measure(file, at, sizeBytes);
    return needed === undefined ? undefined : decodeRecord(file.data, at - file.start);
  }

  /** Makes sure that the record that begins here is in memory; undefined when none does that ends before `end`. */
  async #measure(file: OpenFile, at: number, end: number): Promise<number | undefined> {
    await this.#load(file, at, Math.min(64, end - at), end);
    const needed = sizeOfRecord(file.data, at - file.start);
    if (needed === undefined || at + needed > end) return undefined;
    await this.#load(file, at, needed, end);
    return needed;
  }

  /** Makes sure that so many bytes of the file are in memory. */
  async #load(file: OpenFile, at: number, sizeBytes: number, end: number): Promise<void> {
    if (at >= file.start && at + sizeBytes <= file.start + file.data.length) return;
    const data = new Uint8Array(Math.max(sizeBytes, Math.min(stretchBytes, end - at)));
    const { bytesRead } = await file.handle.read(data, 0, data.length, at);
    file.start = at;
    file.data = data.subarray(0, bytesRead);
  }

  async #passOver(file: OpenFile, at: number, sizeBytes: number): Promise<void> {
    await this.#load(file, at, sizeBytes - at, sizeBytes);
    const next = findRecord(file.data.subarray(0, sizeBytes - file.start), at + 1 - file.start);
    const to = next === undefined ? sizeBytes : next + file.start;
    this.#needs.damaged({ file: file.path, what: `the commits from byte ${at} to ${to} cannot be sent on` });
    this.#place = { ...this.#place, at: to, row: 0 };
  }

  /** The file of the place; when it is gone, the next one. */
  async #open(): Promise<OpenFile | undefined> {
    for (;;) {
      if (this.#file?.number === this.#place.file) return this.#file;
      const found = this.#needs.files().find(({ number }) => number >= this.#place.file);
      if (found === undefined) return undefined;
      if (found.number > this.#place.file) this.seek({ file: found.number, at: 0, row: 0 });
      await this.close();
      try {
        const handle = await open(found.path, "r");
        const { number, path } = found;
        this.#file = { number, path, handle, series: new Map(), start: 0, data: new Uint8Array(0) };
      } catch (thrown) {
        if (errorCode(thrown) !== "ENOENT") throw thrown;
        await breathe();
        // It may just have been moved to where what is not sent yet is kept, or taken from there; else somebody took it away.
        if (!this.#needs.files().some(({ path }) => path === found.path)) continue;
        this.#needs.damaged({ file: found.path, what: "it is gone, and cannot be sent on" });
        this.seek({ file: found.number + 1, at: 0, row: 0 });
        continue;
      }
      await this.#learnBefore(this.#file, this.#place.at);
      return this.#file;
    }
  }

  /** A file names a series before its first sample: what stands before the place names those behind it. */
  async #learnBefore(file: OpenFile, end: number): Promise<void> {
    for (let at = 0; at < end; ) {
      const needed = await this.#measure(file, at, end);
      const found = needed === undefined ? undefined : skimRecord(file.data, at - file.start);
      if (found === undefined) {
        await this.#load(file, at, end - at, end);
        const next = findRecord(file.data.subarray(0, end - file.start), at + 1 - file.start);
        at = next === undefined ? end : next + file.start;
        continue;
      }
      this.#learn(file, found.named);
      at += found.sizeBytes;
      await breathe();
    }
  }

  #learn(file: OpenFile, named: readonly NamedSeries[]): void {
    for (const { id, labels } of named) file.series.set(id, this.#needs.intern(labels));
  }
}

/** By its bits: a marker of staleness is a NaN of its own. */
function take(taken: Taken, labels: Labels, timeMs: number, words: Uint32Array, row: number): void {
  taken.labels.push(labels);
  taken.times.push(timeMs);
  taken.words.push(words[2 * row] as number, words[2 * row + 1] as number);
  taken.bytes += 20;
  if (taken.named.has(labels)) return;
  taken.named.add(labels);
  for (const text of labels) taken.bytes += text.length + 4;
}
