import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { untilAborted } from "#base/abort.ts";
import { Fault, isFault } from "#base/fault.ts";
import { errorCode } from "#disk/file-fault.ts";
import type { Labels } from "../series/labels.ts";
import type { Damage } from "./file.ts";
import { type ParcelForm, packRows, type Shape, shapeOf, shapeRows } from "./parcel.ts";
import { isBefore, type Place, type Progress, readProgress, writeProgress } from "./place.ts";
import { countSamples, isFull, listQueue, queuePath } from "./queue.ts";
import { Tail, type TailRows } from "./tail.ts";
import type { Wal, WalFile } from "./wal.ts";

/** Samples on their way to a target. */
export interface Parcel {
  /** A packed request of remote write 1.0. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly samples: number;
  /** Of the newest sample in it. */
  readonly newestMs: number;
  /** The target may have it already: it was given out before. */
  readonly again: boolean;
}

/** What waits for a target. */
export interface Backlog {
  readonly target: string;
  /** Of the log, behind what the target has. */
  readonly bytes: number;
  /** Samples that were given up for want of room, over restarts. */
  readonly dropped: number;
}

/** Sends on what the store has acknowledged: nothing is written twice, since what it sends is the store's own log. */
export interface Outbox {
  /**
   * From now on these are the targets, and no others. A new one gets what is committed from now on; a known one goes on where
   * it was; what was kept for another is forgotten.
   */
  follow(targets: readonly string[]): Promise<void>;
  /** What comes next for the target; waits until there is something. The same samples again until `done`. */
  next(target: string, form: ParcelForm, signal: AbortSignal): Promise<Parcel>;
  /** The rows from `begin` to before `end` of the parcel that `next` gave last, as a request. */
  part(target: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The parcel has been dealt with. */
  done(target: string): Promise<void>;
  backlog(): Promise<readonly Backlog[]>;
}

export interface OutboxOptions {
  /** The oldest of what waits is dropped beyond this size of files that the store itself needs no more; 1 GiB when left out. */
  readonly queueBytes?: number | undefined;
  /** Of a parcel at most; 2,000 when left out. */
  readonly parcelSamples?: number | undefined;
}

interface OutboxNeeds {
  readonly folder: string;
  readonly options: OutboxOptions;
  readonly durability: "strict" | "relaxed";
  intern(labels: Labels): Labels;
  damaged(damage: Damage): void;
}

interface Target {
  readonly name: string;
  readonly tail: Tail;
  progress: Progress;
  /** What its form means: of each series it is decided once. */
  shape: { readonly form: string; readonly shape: Shape } | undefined;
  parcel: { readonly rows: TailRows; readonly to: Place } | undefined;
}

const gibibyte = 2 ** 30;
const parcelBytes = 512 * 1024;

export class LogOutbox implements Outbox {
  readonly #needs: OutboxNeeds;
  readonly #targets: Map<string, Target>;
  /** Files that the store needs no more, by number. */
  readonly #queue: WalFile[];
  #wal: Wal | undefined;
  #wakes = Promise.withResolvers<void>();

  constructor(needs: OutboxNeeds, queue: readonly WalFile[], progress: ReadonlyMap<string, Progress>) {
    this.#needs = needs;
    this.#queue = [...queue];
    this.#targets = new Map(Array.from(progress, ([name, one]) => [name, this.#targetOf(name, one)]));
    this.#tidy();
  }

  /** The newest file of the log that anything here tells of. */
  get newestFile(): number {
    const places = [...this.#targets.values()].flatMap(({ progress: { from, to } }) => [from.file, to?.file ?? 0]);
    return Math.max(0, ...places, ...this.#queue.map(({ number }) => number));
  }

  get queueBytes(): number {
    return this.#queue.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  attach(wal: Wal): void {
    this.#wal = wal;
  }

  /** There is more in the log. */
  wake(): void {
    this.#wakes.resolve();
    this.#wakes = Promise.withResolvers();
  }

  /** Takes over a file that the store needs no more. */
  retire(file: WalFile): void {
    if (!this.#isWanted(file)) {
      rmSync(file.path, { force: true });
      return;
    }
    const path = queuePath(this.#needs.folder, file.number);
    try {
      renameSync(file.path, path);
    } catch (thrown) {
      // Somebody took it away: that must not keep the store from going on.
      if (errorCode(thrown) === "ENOENT") return;
      throw thrown;
    }
    this.#queue.push({ ...file, path });
  }

  async follow(names: readonly string[]): Promise<void> {
    for (const [name, target] of this.#targets) {
      if (names.includes(name)) continue;
      this.#targets.delete(name);
      await target.tail.close();
      rmSync(this.#progressPath(name), { force: true });
    }
    for (const name of names) {
      if (this.#targets.has(name)) continue;
      const progress = { from: this.#end(), dropped: 0 };
      await writeProgress(this.#progressPath(name), progress, this.#needs.durability);
      this.#targets.set(name, this.#targetOf(name, progress));
    }
    this.#tidy();
    this.wake();
  }

  async next(name: string, form: ParcelForm, signal: AbortSignal): Promise<Parcel> {
    const target = this.#require(name);
    const shape = shapeFor(target, form);
    const limit = { rows: this.#needs.options.parcelSamples ?? 2_000, bytes: parcelBytes };
    target.parcel = undefined;
    target.tail.seek(target.progress.from);
    for (;;) {
      signal.throwIfAborted();
      const more = this.#wakes.promise;
      const { from, to, dropped } = target.progress;
      const rows = shapeRows(await target.tail.read(limit, to), shape);
      if (this.#require(name) !== target || target.progress.from !== from) return this.next(name, form, signal);
      const end = target.tail.place;
      if (rows.labels.length > 0) {
        target.progress = { from, to: end, dropped };
        await this.#save(target);
        target.parcel = { rows, to: end };
        const newestMs = rows.times.reduce((newest, time) => Math.max(newest, time), -Infinity);
        const samples = rows.labels.length;
        return { body: packRows(rows, 0, samples), samples, newestMs, again: to !== undefined };
      }
      // Nothing of it is for this target.
      target.progress = { from: end, dropped };
      if (!isBefore(from, end)) await untilAborted(more, signal);
    }
  }

  async part(name: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { parcel } = this.#require(name);
    if (parcel === undefined) throw new Fault("conflict", `${name} has no parcel under way`);
    return packRows(parcel.rows, begin, end);
  }

  async done(name: string): Promise<void> {
    const target = this.#require(name);
    const { parcel, progress } = target;
    target.parcel = undefined;
    if (parcel === undefined) return;
    target.progress = { from: parcel.to, dropped: progress.dropped };
    this.#tidy();
  }

  async backlog(): Promise<readonly Backlog[]> {
    const files = this.#files();
    return [...this.#targets.values()].map(({ name, progress: { from, dropped } }) => {
      const behind = files.filter(({ number }) => number >= from.file);
      const bytes = behind.reduce(
        (sum, { number, sizeBytes }) => sum + Math.max(0, sizeBytes - (number === from.file ? from.at : 0)),
        0,
      );
      return { target: name, bytes, dropped };
    });
  }

  /** Drops the oldest of what waits, when it is too much. */
  async trim(): Promise<void> {
    const most = this.#needs.options.queueBytes ?? gibibyte;
    for (let oldest = this.#queue[0]; oldest !== undefined; oldest = this.#queue[0]) {
      if (this.queueBytes <= most && !isFull(this.#needs.folder)) return;
      await this.#drop(oldest);
    }
  }

  async close(): Promise<void> {
    for (const target of this.#targets.values()) {
      await this.#save(target);
      await target.tail.close();
    }
  }

  async #drop(file: WalFile): Promise<void> {
    const behind = { file: file.number + 1, at: 0, row: 0 };
    for (const target of this.#targets.values()) {
      const { from, dropped } = target.progress;
      if (!isBefore(from, behind)) continue;
      const lost = from.file <= file.number ? countSamples(file, from) : 0;
      target.progress = { from: behind, dropped: dropped + lost };
      await this.#save(target);
    }
    this.#tidy();
  }

  /** Removes what every target has. */
  #tidy(): void {
    while (this.#queue[0] !== undefined && !this.#isWanted(this.#queue[0])) {
      rmSync(this.#queue[0].path, { force: true });
      this.#queue.shift();
    }
  }

  #isWanted({ number, sizeBytes }: WalFile): boolean {
    const end = { file: number, at: sizeBytes, row: 0 };
    return [...this.#targets.values()].some(({ progress }) => isBefore(progress.from, end));
  }

  #files(): readonly WalFile[] {
    return [...this.#queue, ...(this.#wal?.files ?? [])];
  }

  #end(): Place {
    const last = this.#files().at(-1);
    return { file: last?.number ?? this.newestFile, at: last?.sizeBytes ?? 0, row: 0 };
  }

  #targetOf(name: string, progress: Progress): Target {
    const { intern, damaged } = this.#needs;
    const tail = new Tail({ files: () => this.#files(), intern, damaged }, progress.from);
    return { name, tail, progress, shape: undefined, parcel: undefined };
  }

  #require(name: string): Target {
    const target = this.#targets.get(name);
    if (target) return target;
    throw new Fault("missing", `nothing is sent on to ${name}`);
  }

  /** A disk without room does not keep from sending: that is what makes room. After a crash more is sent twice then. */
  async #save({ name, progress }: Target): Promise<void> {
    await writeProgress(this.#progressPath(name), progress, this.#needs.durability).catch((thrown: unknown) => {
      if (!isFault(thrown) || thrown.code !== "unreachable") throw thrown;
    });
  }

  #progressPath(name: string): string {
    return join(this.#needs.folder, `${name}.json`);
  }
}

function shapeFor(target: Target, given: ParcelForm): Shape {
  const form = JSON.stringify(given);
  if (target.shape?.form !== form) target.shape = { form, shape: shapeOf(given) };
  return target.shape.shape;
}

/** Reads how far each target is, and which files are kept for them. */
export async function openOutbox(needs: OutboxNeeds): Promise<LogOutbox> {
  mkdirSync(needs.folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(needs.folder);
  const progress = new Map<string, Progress>();
  for (const name of names) {
    const target = /^([^.].*)\.json$/.exec(name)?.[1];
    if (target === undefined) continue;
    const read = await readProgress(join(needs.folder, name));
    if (typeof read === "string") needs.damaged({ file: join(needs.folder, name), what: read });
    const start = { from: { file: 0, at: 0, row: 0 }, dropped: 0 };
    progress.set(target, typeof read === "object" ? read : start);
  }
  return new LogOutbox(needs, listQueue(needs.folder), progress);
}
