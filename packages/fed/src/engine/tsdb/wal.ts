import { closeSync, constants, openSync, readdirSync, readFileSync, readSync, rmSync, truncateSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, sleep } from "#base/clock.ts";
import { fileFault } from "#disk/file-fault.ts";
import { type Damage, syncFolder } from "./file.ts";
import { decodeRecord, encodeRecord, findRecord, isTorn, type NamedSeries, type WalRecord } from "./wal-record.ts";

export interface WalOptions {
  readonly clock: Clock;
  /** `strict`: a commit is on the disk (fsync). `relaxed`: the system has it, and syncs it now and again. */
  readonly durability: "strict" | "relaxed";
  /** How long the first sample of a commit waits for others; 0 for not at all. */
  readonly windowMs: number;
  readonly series: LoggedSeries;
  /** Files are numbered from behind this one. */
  readonly behind?: number | undefined;
  /** Takes away a file that the log needs no more; it is removed when left out. */
  retire?(file: WalFile): void;
  /** There is more to read. */
  committed?(): void;
}

/** A file of the log, up to where its commits are promised. */
export interface WalFile {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
}

/** What the log asks about series. */
export interface LoggedSeries {
  /** The file that has named it last, as `setFile` said; 0 for none. */
  fileOf(id: number): number;
  setFile(id: number, file: number): void;
  /** Undefined when it is gone; then `keepName` has told its name before. */
  nameOf(id: number): NamedSeries | undefined;
}

interface Waiting {
  count: number;
  ids: Float64Array<ArrayBuffer>;
  times: Float64Array<ArrayBuffer>;
  words: Uint32Array<ArrayBuffer>;
  /** Of series that have left meanwhile. */
  readonly names: Map<number, NamedSeries>;
  /** With how many samples were before each. */
  readonly deletes: { readonly record: Extract<WalRecord, { kind: "delete" }>; readonly row: number }[];
}

interface OpenFile {
  readonly number: number;
  readonly handle: FileHandle;
  sizeBytes: number;
  newestMs: number;
  syncedMs: number;
  /** What somebody was promised ends here; 0 for nothing. */
  keptBytes: number;
}

/** A file of the log that is not written any more. */
export interface OldFile {
  readonly number: number;
  readonly sizeBytes: number;
  readonly newestMs: number;
}

/** A file is left for a new one at this size. */
const fullBytes = 32 * 2 ** 20;
/** Samples that a commit has room for before it grows: 400 kB. */
const mostRoom = 16_384;
/** What a power cut may take in relaxed mode, while samples come. */
const relaxedSyncMs = 5_000;

const fileName = (number: number) => `${String(number).padStart(10, "0")}.wal`;

/**
 * The write-ahead log: files that only grow, each readable alone (a file names a series before its first sample). What comes
 * while a commit is under way shares the next one: one record, one write, one fsync.
 */
export class Wal {
  readonly #folder: string;
  readonly #options: WalOptions;
  readonly #old: OldFile[];
  #next: number;
  #sealedMs: number;
  #file: OpenFile | undefined;
  #waiting = waiting();
  #writing: Waiting | undefined;
  #running: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #trouble: unknown;
  #hurry = new AbortController();

  /** `old`: what `readWal` has found. */
  constructor(folder: string, options: WalOptions, old: readonly OldFile[], sealedMs: number) {
    this.#folder = folder;
    this.#options = options;
    this.#old = [...old];
    this.#next = Math.max(old.at(-1)?.number ?? 0, options.behind ?? 0) + 1;
    this.#sealedMs = sealedMs;
  }

  get sizeBytes(): number {
    return this.#old.reduce((sum, { sizeBytes }) => sum + sizeBytes, this.#file?.sizeBytes ?? 0);
  }

  /** What kept the last commit from the disk; its samples wait, and each commit tries again. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** What can be read, by number. */
  get files(): readonly WalFile[] {
    const named = ({ number, sizeBytes }: { readonly number: number; readonly sizeBytes: number }) => ({
      ...{ number, sizeBytes, path: join(this.#folder, fileName(number)) },
    });
    const files = this.#old.map(named);
    const open = this.#file;
    return open && open.keptBytes > 0 ? [...files, named({ number: open.number, sizeBytes: open.keptBytes })] : files;
  }

  add(id: number, timeMs: number, low: number, high: number): void {
    if (this.#waiting.count === this.#waiting.ids.length) grow(this.#waiting);
    const { ids, times, words } = this.#waiting;
    const at = this.#waiting.count++;
    ids[at] = id;
    times[at] = timeMs;
    words[2 * at] = low;
    words[2 * at + 1] = high;
  }

  addDelete(record: Extract<WalRecord, { kind: "delete" }>): void {
    this.#waiting.deletes.push({ record, row: this.#waiting.count });
  }

  /** A series leaves: what waits of it has its name from here. */
  keepName(id: number, name: () => NamedSeries): void {
    for (const rows of [this.#waiting, this.#writing]) {
      if (rows !== undefined && rows.count > 0) rows.names.set(id, name());
    }
  }

  /** Waits until all that was added is as durable as promised. Fault when the disk does not take it; it is kept for the next time. */
  async commit(): Promise<void> {
    // What is added now may come too late for the commit under way, but not for the one after it.
    if (this.#running) await this.#running.catch(() => {});
    if (this.#waiting.count === 0 && this.#waiting.deletes.length === 0 && this.#writing === undefined) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, windowMs } = this.#options;
    if (windowMs > 0 && !this.#hurry.signal.aborted) await sleep(clock, windowMs, this.#hurry.signal).catch(() => {});
    await this.#alone(async () => {
      if (this.#writing) await this.#write(this.#writing);
      this.#writing = this.#waiting;
      // Room for as many again, within reason.
      this.#waiting = waiting(Math.min(Math.max(64, this.#writing.count), mostRoom));
      await this.#write(this.#writing);
    });
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #write(rows: Waiting): Promise<void> {
    const path = join(this.#folder, fileName(this.#file?.number ?? this.#next));
    try {
      const file = this.#file ?? (await this.#start());
      const data = Buffer.concat(recordsOf(rows, file, this.#options.series).map(encodeRecord));
      await writeAll(file, data);
      const now = this.#options.clock.tickMs();
      if (this.#options.durability === "relaxed" && now - file.syncedMs >= relaxedSyncMs) {
        await file.handle.datasync();
        file.syncedMs = now;
      }
      file.keptBytes = file.sizeBytes;
      this.#writing = undefined;
      this.#trouble = undefined;
      this.#options.committed?.();
      if (file.sizeBytes >= fullBytes) await this.#leave();
    } catch (thrown) {
      this.#trouble = thrown;
      // Half a record may be at its end, and after a failed fsync nobody knows what is in it: the next try takes a new file.
      await this.#leave().catch(() => {});
      throw fileFault(thrown, "write", path);
    }
  }

  async #start(): Promise<OpenFile> {
    const number = this.#next++;
    // One call writes and syncs: half the time of a write and an fdatasync.
    const sync = this.#options.durability === "strict" ? constants.O_DSYNC : 0;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | sync;
    const handle = await open(join(this.#folder, fileName(number)), flags, 0o600);
    const file = {
      number,
      handle,
      sizeBytes: 0,
      newestMs: -Infinity,
      syncedMs: this.#options.clock.tickMs(),
      keptBytes: 0,
    };
    this.#file = file;
    await writeAll(
      file,
      encodeRecord({ kind: "start", sealedMs: this.#sealedMs, previousBytes: this.#old.at(-1)?.sizeBytes ?? 0 }),
    );
    await syncFolder(this.#folder);
    return file;
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { number, keptBytes, newestMs } = file;
    if (keptBytes > 0) this.#old.push({ number, sizeBytes: keptBytes, newestMs });
    else rmSync(join(this.#folder, fileName(number)), { force: true });
    try {
      if (keptBytes > 0 && keptBytes < file.sizeBytes) await file.handle.truncate(keptBytes);
      if (keptBytes > 0) await file.handle.datasync();
    } finally {
      await file.handle.close();
    }
  }

  /** Samples before `sealedMs` are in blocks now: files that have no others are retired. */
  sealed(sealedMs: number): Promise<void> {
    return this.#alone(async () => {
      this.#sealedMs = sealedMs;
      await this.#leave();
      while (this.#old[0] !== undefined && this.#old[0].newestMs < sealedMs) {
        this.#retire(this.#old[0]);
        this.#old.shift();
      }
    });
  }

  #retire({ number, sizeBytes }: OldFile): void {
    const path = join(this.#folder, fileName(number));
    if (this.#options.retire) this.#options.retire({ number, path, sizeBytes });
    else rmSync(path, { force: true });
  }

  async close(): Promise<void> {
    this.#hurry.abort();
    try {
      await this.commit();
    } finally {
      await this.#alone(() => this.#leave());
    }
  }
}

function waiting(room = 64): Waiting {
  return {
    count: 0,
    ids: new Float64Array(room),
    times: new Float64Array(room),
    words: new Uint32Array(2 * room),
    names: new Map(),
    deletes: [],
  };
}

function grow(rows: Waiting): void {
  const { ids, times, words } = rows;
  rows.ids = new Float64Array(ids.length * 2);
  rows.ids.set(ids);
  rows.times = new Float64Array(times.length * 2);
  rows.times.set(times);
  rows.words = new Uint32Array(words.length * 2);
  rows.words.set(words);
}

function recordsOf(rows: Waiting, file: OpenFile, series: LoggedSeries): WalRecord[] {
  const records: WalRecord[] = [];
  let from = 0;
  for (const { record, row } of rows.deletes) {
    if (row > from) records.push(samplesOf(rows, from, row, file, series));
    records.push(record);
    from = row;
  }
  if (rows.count > from) records.push(samplesOf(rows, from, rows.count, file, series));
  return records;
}

function samplesOf(rows: Waiting, from: number, to: number, file: OpenFile, series: LoggedSeries): WalRecord {
  const { ids, times, words, names } = rows;
  const named = new Map<number, NamedSeries>();
  for (let at = from; at < to; at++) {
    const id = ids[at] as number;
    if (series.fileOf(id) !== file.number && !named.has(id)) {
      const name = names.get(id) ?? series.nameOf(id);
      if (name !== undefined) named.set(id, name);
      series.setFile(id, file.number);
    }
    if ((times[at] as number) > file.newestMs) file.newestMs = times[at] as number;
  }
  const values = new Float64Array(words.buffer, from * 8, to - from);
  const columns = { ids: ids.subarray(from, to), times: times.subarray(from, to), values };
  return { kind: "samples", named: [...named.values()], rows: columns };
}

async function writeAll(file: OpenFile, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.handle.write(data, at, data.length - at, file.sizeBytes);
    at += bytesWritten;
    file.sizeBytes += bytesWritten;
  }
}

/**
 * Reads every sound record of the log's files in their order. What is not readable is passed over, and named. But a record that is
 * longer than the newest file was being written when the writer died: nobody was promised anything, and it is cut off.
 */
export function readWal(
  folder: string,
  visit: (record: WalRecord, file: number) => void,
): { readonly old: readonly OldFile[]; readonly damage: readonly Damage[] } {
  const old: OldFile[] = [];
  const damage: Damage[] = [];
  const numbers = readdirSync(folder).flatMap((name) => Number(/^(\d{10})\.wal$/.exec(name)?.[1] ?? 0) || []);
  for (const [nth, number] of numbers.sort((a, b) => a - b).entries()) {
    const path = join(folder, fileName(number));
    let newestMs = -Infinity;
    const data = readWhole(path, damage);
    const torn = readRecords(path, data, damage, (record) => {
      if (record.kind === "samples") for (const time of record.rows.times) if (time > newestMs) newestMs = time;
      if (record.kind === "start") damage.push(...missingEnd(folder, old.at(-1), record.previousBytes));
      visit(record, number);
    });
    if (torn !== undefined && nth === numbers.length - 1) truncateSync(path, torn);
    else if (torn !== undefined) damage.push(lostEnd(path, data, torn));
    old.push({ number, sizeBytes: torn ?? data.length, newestMs });
  }
  return { old, damage };
}

function missingEnd(folder: string, file: OldFile | undefined, wholeBytes: number): Damage[] {
  const missing = wholeBytes - (file?.sizeBytes ?? wholeBytes);
  if (file === undefined || missing <= 0) return [];
  return [{ file: join(folder, fileName(file.number)), what: `its last ${missing} bytes are missing` }];
}

function lostEnd(path: string, data: Uint8Array, at: number): Damage {
  return { file: path, what: `the last ${data.length - at} bytes, from ${at} on, are no whole commit` };
}

/** Returns where a record begins that is longer than the file. */
function readRecords(
  path: string,
  data: Uint8Array,
  damage: Damage[],
  visit: (record: WalRecord) => void,
): number | undefined {
  for (let at = 0; at < data.length; ) {
    const found = decodeRecord(data, at);
    if (found !== undefined) {
      visit(found.record);
      at += found.sizeBytes;
      continue;
    }
    const next = findRecord(data, at + 1);
    if (next === undefined) {
      if (isTorn(data, at)) return at;
      damage.push(lostEnd(path, data, at));
      return undefined;
    }
    damage.push({ file: path, what: `the commits from byte ${at} to ${next} cannot be read` });
    at = next;
  }
  return undefined;
}

/** Up to which time all samples are in blocks, as the files say that were begun after. */
export function readSealed(folder: string): number {
  let sealedMs = -Infinity;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".wal")) continue;
    const start = new Uint8Array(256);
    try {
      const file = openSync(join(folder, name), "r");
      try {
        readSync(file, start);
      } finally {
        closeSync(file);
      }
    } catch {
      continue; // readWal names it
    }
    const found = decodeRecord(start, 0)?.record;
    if (found?.kind === "start") sealedMs = Math.max(sealedMs, found.sealedMs);
  }
  return sealedMs;
}

function readWhole(path: string, damage: Damage[]): Uint8Array {
  try {
    return readFileSync(path);
  } catch (thrown) {
    damage.push({ file: path, what: fileFault(thrown, "read", path).message });
    return new Uint8Array(0);
  }
}
