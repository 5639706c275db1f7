import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { fileFault } from "#disk/file-fault.ts";
import { ensureFolder } from "#disk/folder.ts";
import { holdLock, type Lock } from "#disk/lock.ts";
import type { Labels } from "../series/labels.ts";
import type { Queryable, Selection } from "../series/queryable.ts";
import type { Series } from "../series/series.ts";
import { splitRows, stageRows, takeRows } from "./backfill.ts";
import { flushStage, openStage } from "./backfill-stage.ts";
import { type Appended, joinAnswers, type NumberedBatch, namedRefusals } from "./batch.ts";
import { listBlocks } from "./block.ts";
import { type Cardinality, cardinalityOf } from "./cardinality.ts";
import { latestMs, wordsOf } from "./codec.ts";
import type { Damage } from "./file.ts";
import { type Added, addSample, hasSeries, headOf } from "./head.ts";
import { type Limits, usualLimits } from "./limit.ts";
import { compact, removeSelection, retain, seal, verify } from "./maintain.ts";
import { type Outbox, type OutboxOptions, openOutbox } from "./outbox.ts";
import { intern, labelsOfId, name, postingsOf, unname } from "./postings.ts";
import { findSeries, readSelection } from "./reader.ts";
import { type Refusal, refusalOf, refusalOfSeries } from "./refusal.ts";
import { replay } from "./replay.ts";
import { type DiskSpace, type Room, roomOf } from "./room.ts";
import { type ShelfBlock, shelfBlock, shelfOf } from "./shelf.ts";
import { statsOf, type TsdbStats } from "./stats.ts";
import { loggedSeries, type Store, seriesOf } from "./store.ts";
import { tenantsOf } from "./tenant.ts";
import { openTiers, type TierOptions } from "./tier.ts";
import { buildTiers, removeFromTiers, retainTiers } from "./tier-build.ts";
import { Wal, type WalFile } from "./wal.ts";

export interface TsdbOptions {
  readonly clock: Clock;
  /**
   * `strict` (when left out): an append that has returned survives kill -9 and a power cut. `relaxed`: it survives kill -9; a power
   * cut may take the last seconds. For SD cards.
   */
  readonly durability?: "strict" | "relaxed" | undefined;
  /** How long an append may wait for others to share its commit; 0 when left out: it shares what comes during a commit. */
  readonly commitWindowMs?: number | undefined;
  /** How far a sample may lie before the newest one; an hour when left out. */
  readonly outOfOrderMs?: number | undefined;
  /** How far ahead of the clock a sample may be; 10 minutes when left out. */
  readonly aheadMs?: number | undefined;
  /** Older samples are not answered, and their files are removed; kept for ever when left out. */
  readonly retainMs?: number | undefined;
  /** Summaries that are made of complete days, and answer long charts; none when left out. Each step divides a day. */
  readonly tiers?: readonly TierOptions[] | undefined;
  /** The oldest blocks are removed beyond this size. */
  readonly retainBytes?: number | undefined;
  /** Length of a block when it is first written; 2 hours. */
  readonly spanMs?: number | undefined;
  /** Length of the blocks that these become; a whole number of spans, a day when left out. */
  readonly daySpanMs?: number | undefined;
  readonly cacheBytes?: number | undefined;
  /** Old samples that wait in memory for their blocks, at most: 4,000,000, which take about 30 MB. */
  readonly stagedSamples?: number | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly outbox?: OutboxOptions | undefined;
  /** How much room the disk of a folder has, for tests. */
  readonly measureDisk?: ((folder: string) => Promise<DiskSpace>) | undefined;
}

export type { Appended, Batch } from "./batch.ts";
export type { TsdbStats } from "./stats.ts";

const hourMs = 3_600_000;

/** A store of samples in a folder of its own. One process at a time has it open. */
export class Tsdb implements Queryable {
  readonly #store: Store;
  readonly #lock: Lock;
  readonly #room: Room;
  readonly #known = new WeakMap<Labels, number>();
  readonly #outOfOrderMs: number;
  readonly #aheadMs: number;
  #newestMs = -Infinity;
  #work: Promise<void> = Promise.resolve();
  #maintaining = false;
  #trouble: unknown;
  #closed = false;

  constructor(store: Store, lock: Lock, options: TsdbOptions, newestMs: number) {
    this.#store = store;
    this.#lock = lock;
    this.#room = roomOf(store.folder, store.clock, options.measureDisk);
    this.#outOfOrderMs = options.outOfOrderMs ?? hourMs;
    this.#aheadMs = options.aheadMs ?? 600_000;
    this.#newestMs = newestMs;
    this.#raiseFloor();
  }

  /** What is sent on to others. */
  get outbox(): Outbox {
    return this.#store.outbox;
  }

  /**
   * Takes the samples. When it returns, they are as durable as the store promises; samples are judged one by one, and
   * those that cannot be taken are named. A series counts for the tenant
   * that brought it first. Fault `unreachable` when the disk has too little room, and nothing was taken, or when it does not
   * take them: then they are answered already and kept in memory, and nothing more is taken until it does. In both cases
   * try the same batch again.
   */
  async append(batch: NumberedBatch, tenant = ""): Promise<Appended> {
    await this.#getReady();
    const answer = this.#take(batch, tenant);
    await this.#commit();
    return answer;
  }

  /**
   * Takes samples of any age that the store keeps, with the promise of `append`; queries see them when it returns, at the
   * latest. Those that are not too old for it are appended. What is there already stays: the same value again is `same`, another one is refused.
   */
  async backfill(batch: NumberedBatch, tenant = ""): Promise<Appended> {
    await this.#getReady();
    // Nothing waits until what is recent is taken: meanwhile it could become old.
    const { recent, old } = splitRows(batch, this.#store.floorMs);
    const appended = this.#take(old.length === 0 ? batch : takeRows(batch, recent), tenant);
    await this.#commit();
    if (old.length === 0) return appended;
    const staged = await this.#alone(async () => {
      // Between what is staged and what is in memory lies only what is in blocks.
      await seal(this.#store);
      return stageRows(this.#store, batch, old, tenant);
    });
    return joinAnswers(appended, recent, staged);
  }

  async #getReady(): Promise<void> {
    this.#requireOpen();
    const { wal, outbox } = this.#store;
    this.#room.glance();
    if (this.#room.fault === undefined && wal.trouble === undefined) return;
    await this.#room.require();
    if (wal.trouble !== undefined) {
      await outbox.trim();
      await wal.commit();
    }
    // It may have been closed meanwhile, and then takes nothing more.
    this.#requireOpen();
  }

  async #commit(): Promise<void> {
    await this.#store.wal.commit();
    if (this.#store.floorMs > this.#store.sealedMs) this.#startMaintenance();
  }

  #take({ labels, times, values, found: known }: NumberedBatch, tenant: string): Appended {
    if (labels.length !== times.length || times.length !== values.length) {
      throw new Fault("invalid", "a batch needs as many times and values as labels");
    }
    const { head, wal, floorMs, clock } = this.#store;
    const words = wordsOf(values);
    const latest = Math.min(latestMs, clock.nowMs() + this.#aheadMs);
    const earliest = Math.max(0, floorMs, clock.nowMs() - this.#store.retainMs);
    const refusals: Refusal[] = [];
    let [added, same, refused, newest] = [0, 0, 0, this.#newestMs];
    for (let row = 0; row < times.length; row++) {
      const time = times[row] as number;
      const [low, high] = [words[2 * row] as number, words[2 * row + 1] as number];
      let became: Added | Refusal | undefined;
      let id = 0;
      if (time >= earliest && time <= latest && Number.isInteger(time)) {
        id = (known === undefined ? this.#known.get(labels.at(row) as Labels) : known[row]) ?? 0;
        if (id === 0 || !hasSeries(head, id)) {
          const one = labels.at(row) as Labels;
          const found = seriesOf(this.#store, one, tenant);
          if (typeof found === "string") {
            id = 0;
            became = refusalOfSeries(one, row, found);
          } else {
            id = found;
            // Who knows numbers comes with them.
            if (known === undefined) this.#known.set(one, id);
          }
        }
        if (id > 0) became = addSample(head, id, time, low, high);
      }
      if (became === "added") {
        added++;
        wal.add(id, time, low, high);
        if (time > newest) newest = time;
      } else if (became === "same") same++;
      else if (refused++ < namedRefusals) {
        const at = { labels: labels.at(row) as Labels, time, row };
        refusals.push(typeof became === "object" ? became : refusalOf(at, became, earliest, latest));
      }
    }
    if (newest > this.#newestMs) {
      this.#newestMs = newest;
      this.#raiseFloor();
    }
    return { added, same, refused, refusals };
  }

  /** The series' number, for `Batch.found`, whose labels are known until `unname`; 0 when the store has no such series. */
  name(labels: Labels): number {
    return name(this.#store.postings, labels);
  }

  unname(id: number): void {
    unname(this.#store.postings, id);
  }

  labelsOf(id: number): Labels {
    return labelsOfId(this.#store.postings, id);
  }

  #raiseFloor(): void {
    const { spanMs, floorMs, sealedMs } = this.#store;
    const floor = Math.floor((this.#newestMs - this.#outOfOrderMs) / spanMs) * spanMs;
    this.#store.floorMs = Math.max(floorMs, sealedMs, floor);
  }

  select(selection: Selection, signal: AbortSignal): AsyncIterable<readonly Series[]> {
    this.#requireOpen();
    return readSelection(this.#store, selection, signal);
  }

  async series(selection: Selection, signal: AbortSignal): Promise<readonly Labels[]> {
    this.#requireOpen();
    const found: Labels[] = [];
    await findSeries(this.#store, selection, signal, (id) => found.push(labelsOfId(this.#store.postings, id)));
    return found;
  }

  async labelNames(selection: Selection, signal: AbortSignal): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const labels of await this.series(selection, signal)) {
      for (let i = 0; i < labels.length; i += 2) names.add(labels[i] as string);
    }
    return [...names].sort();
  }

  async labelValues(name: string, selection: Selection, signal: AbortSignal): Promise<readonly string[]> {
    const values = new Set<string>();
    for (const labels of await this.series(selection, signal)) {
      const at = labels.findIndex((text, i) => i % 2 === 0 && text === name);
      if (at >= 0) values.add(labels[at + 1] as string);
    }
    return [...values].sort();
  }

  /**
   * Removes the samples of the matching series in the span, in memory and on the disk; they are gone when it returns. Cut
   * short, some may be gone and others not: ask again.
   */
  delete(selection: Pick<Selection, "matchers" | "startMs" | "endMs">): Promise<void> {
    this.#requireOpen();
    return this.#alone(async () => {
      const { matchers, startMs, endMs } = selection;
      await flushStage(this.#store);
      await removeFromTiers(this.#store, { matchers, startMs, endMs });
      await removeSelection(this.#store, { matchers, startMs, endMs });
    });
  }

  /**
   * Seals what is complete, makes days of spans and summaries of days, and removes what is too old. Appends start it; so should
   * a clock, for retention.
   */
  maintain(): Promise<void> {
    this.#requireOpen();
    return this.#alone(async () => {
      try {
        await seal(this.#store);
        await flushStage(this.#store);
      } finally {
        // On a disk that has no room for a block this makes some.
        await retain(this.#store);
        retainTiers(this.#store);
      }
      await compact(this.#store);
      await buildTiers(this.#store);
      await this.#store.outbox.trim();
    });
  }

  /** Reads all that is on the disk; returns what is damaged. */
  async verify(): Promise<readonly Damage[]> {
    this.#requireOpen();
    await this.#alone(() => verify(this.#store));
    return [...this.#store.shelf.damage.values()];
  }

  #startMaintenance(): void {
    if (this.#maintaining || this.#closed) return;
    this.#maintaining = true;
    this.maintain()
      .then(
        () => {
          this.#trouble = undefined;
        },
        // The next append tries again; the samples are in the log and in memory meanwhile.
        (thrown: unknown) => {
          this.#trouble = thrown;
        },
      )
      .finally(() => {
        this.#maintaining = false;
      });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    // Closing waits for what is under way, and for nothing that comes later.
    this.#requireOpen();
    const done = this.#work.then(work);
    this.#work = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  async stats(): Promise<TsdbStats> {
    this.#requireOpen();
    return await statsOf(this.#store, this.#room.fault ?? this.#trouble);
  }

  /** Where the series in memory come from; lists of at most `most`. */
  async cardinality(most: number): Promise<Cardinality> {
    this.#requireOpen();
    return cardinalityOf(this.#store, most);
  }

  /** Waits for what is under way, makes all durable and gives the folder back. Closing twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#work;
    try {
      await this.#store.wal.close();
      await this.#store.stage.wal.close();
      await this.#store.outbox.close();
    } finally {
      const { blocks, tiers } = this.#store;
      for (const { handle } of [...blocks, ...tiers.flatMap(({ files }) => files)]) await handle?.close();
      this.#lock.close();
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new Fault("internal", `the store in ${this.#store.folder} was used after it was closed`);
  }
}

/** Opens the store in a folder, made when it is not there. Fault `conflict` when another process has it open. */
export async function openTsdb(folder: string, options: TsdbOptions): Promise<Tsdb> {
  await ensureFolder(folder);
  const lock = holdLock(join(folder, "lock"));
  try {
    const [blockFolder, walFolder] = [join(folder, "block"), join(folder, "wal")];
    for (const path of [blockFolder, walFolder]) mkdirSync(path, { recursive: true, mode: 0o700 });
    const spanMs = options.spanMs ?? 2 * hourMs;
    const postings = postingsOf();
    const shelf = shelfOf(postings, options.cacheBytes ?? 64 * 2 ** 20);
    const blocks = readShelf(blockFolder);
    const daySpanMs = options.daySpanMs ?? 24 * hourMs;
    const tiers = openTiers(folder, options.tiers ?? [], daySpanMs);
    const kept = [...blocks, ...tiers.flatMap(({ files }) => files)];
    const store: Omit<Store, "wal" | "outbox" | "stage"> & {
      wal?: Wal;
      outbox?: Store["outbox"];
      stage?: Store["stage"];
    } = {
      folder,
      clock: options.clock,
      postings,
      head: headOf(spanMs),
      shelf,
      limits: { ...usualLimits, ...options.limits },
      spanMs,
      daySpanMs,
      retainMs: options.retainMs ?? Infinity,
      retainBytes: options.retainBytes ?? Infinity,
      tenants: tenantsOf(),
      tiers,
      blocks,
      floorMs: -Infinity,
      sealedMs: kept.reduce((latest, { file }) => Math.max(latest, file.endMs), -Infinity),
    };
    const outbox = await openOutbox({
      folder: join(folder, "queue"),
      options: options.outbox ?? {},
      durability: options.durability ?? "strict",
      intern: (labels) => intern(postings, labels),
      damaged: (found) => void shelf.damage.set(`${found.file}: ${found.what}`, found),
    });
    store.outbox = outbox;
    const { clock, durability = "strict" } = options;
    store.stage = openStage(store, { clock, durability, windowMs: 0 }, options.stagedSamples);
    const { old, newestMs } = replay(store as Store, walFolder);
    const walOptions = {
      clock,
      durability,
      windowMs: options.commitWindowMs ?? 0,
      series: loggedSeries(store as Store),
      behind: outbox.newestFile,
      retire: (file: WalFile) => outbox.retire(file),
      committed: () => outbox.wake(),
    };
    const wal = new Wal(walFolder, walOptions, old, store.sealedMs);
    outbox.attach(wal);
    store.wal = wal;
    return new Tsdb(store as Store, lock, options, newestMs);
  } catch (thrown) {
    lock.close();
    throw fileFault(thrown, "open the store in", folder);
  }
}

/** A block within a longer one is what compaction had no time to remove. */
function readShelf(folder: string): ShelfBlock[] {
  const remove = (path: string) => rmSync(path, { force: true });
  const kept: ShelfBlock[] = [];
  let endMs = -Infinity;
  for (const file of listBlocks(folder, remove)) {
    if (file.layer === 0 && file.endMs <= endMs) remove(file.path);
    else kept.push(shelfBlock(file));
    if (file.layer === 0) endMs = Math.max(endMs, file.endMs);
  }
  return kept;
}
