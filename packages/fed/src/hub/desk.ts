import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { isFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { EventLog, Origin } from "./event/verbs.ts";
import type { AcceptedLab, RejectedEdit } from "./lab/lab.ts";
import { type LoadedLab, loadLab, type RejectedLab, rejectedBy } from "./lab/load.ts";
import { changedSince, rereadWhenChanged } from "./lab/reading.ts";
import { shareWork } from "./lab/share.ts";
import { acceptLab, type Part, recallLab, rejectLab } from "./lab/verbs.ts";
import { watchFiles } from "./lab/watch.ts";

/** What a hub begins with. */
export interface FirstLab {
  readonly loaded: LoadedLab;
  /** When its reading began, by the clock of the files; undefined: some time ago. */
  readonly begunMs?: number | undefined;
  /** The file is bad or gone: `loaded` is the newest that was accepted of it, so long ago. */
  readonly recalled?: { readonly acceptedMs: number; readonly rejected: RejectedLab } | undefined;
}

export interface DeskOptions {
  readonly first: FirstLab;
  /** Take edits of the lab's files as they come. */
  readonly watch: boolean;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  makeCorrelation(): string;
  /** What a lab means to others, to be recorded with it. */
  partsOf(lab: AcceptedLab, origin: Origin): readonly Part[];
  /** The wish or a refused edit has changed. */
  onChange(): void;
}

/** Where the lab file is read: the wish, and the newest edit when it was refused. */
export interface Desk {
  readonly lab: AcceptedLab;
  readonly rejected: RejectedEdit | undefined;
  /** The lab file as it is on disk now. One is read at a time, for all who ask. */
  load(signal: AbortSignal): Promise<LoadedLab | RejectedLab>;
  /**
   * Makes the file as it is on disk now the wish, whatever it was before; `check` may refuse it by throwing. Takes its
   * turn with the edits, so that an older file never comes after a newer one.
   */
  take(
    origin: Origin,
    check: (loaded: LoadedLab) => Promise<void>,
    signal: AbortSignal,
  ): Promise<LoadedLab | RejectedLab>;
  /** Looks at the file again, as after an edit. */
  look(): void;
  close(): Promise<void>;
}

export function openDesk(options: DeskOptions): Desk {
  const { events, clock, trace } = options;
  const { loaded: first, recalled } = options.first;
  const closing = new AbortController();
  const shared = shareWork(rereadWhenChanged(() => loadLab(first.file, { clock }, closing.signal), clock));
  const load = (signal: AbortSignal) => untilAborted(shared(), signal);
  let edits: Promise<unknown> = Promise.resolve();
  let lookAsked = false;
  /** Refused at the start: the first look finds it again. */
  let told = recalled?.rejected;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = edits.then(work);
    edits = turn.catch(() => undefined);
    return turn;
  };

  function accept(loaded: LoadedLab, origin: Origin) {
    lab = acceptLab({ events, clock }, origin, loaded, (one) => options.partsOf(one, origin));
    rejected = undefined;
    files?.update(loaded.files);
  }

  function reject(edit: RejectedLab, origin: Origin) {
    files?.update(edit.files);
    const known = JSON.stringify(told?.diagnostics) === JSON.stringify(edit.diagnostics);
    told = undefined;
    if (!known) rejected = rejectLab({ events, clock }, origin, edit);
  }

  async function takeEdit() {
    lookAsked = false;
    const loaded = await load(closing.signal).catch((thrown) => {
      if (isFault(thrown) && thrown.code !== "internal") return rejectedBy(thrown, first.file, first.folder);
      throw thrown;
    });
    const origin = { actor: "file", correlation: options.makeCorrelation() };
    if (loaded.kind === "rejected") reject(loaded, origin);
    else if (loaded.hash !== lab.hash) accept(loaded, origin);
    else {
      rejected = undefined;
      files?.update(loaded.files);
    }
    options.onChange();
  }

  function look() {
    if (lookAsked) return;
    lookAsked = true;
    inTurn(takeEdit).catch((thrown) => {
      if (!closing.signal.aborted) trace.error("an edit could not be taken", { reason: String(thrown) });
    });
  }

  const files = options.watch
    ? watchFiles(recalled?.rejected.files ?? first.files, first.folder, look, { clock })
    : undefined;
  const origin = { actor: "local", correlation: options.makeCorrelation() };
  const take = recalled ? recallLab : acceptLab;
  let lab = take({ events, clock }, origin, first, (one) => options.partsOf(one, origin), recalled?.acceptedMs);
  let rejected = recalled && rejectLab({ events, clock }, origin, recalled.rejected);
  // What was saved between the reading of it and the watch was seen by nobody.
  if (options.watch && (recalled !== undefined || changedSince(first.files, options.first.begunMs))) look();
  return {
    get lab() {
      return lab;
    },
    get rejected() {
      return rejected;
    },
    load,
    take: (origin, check, signal) => {
      const turn = inTurn(async () => {
        const loaded = await load(signal);
        if (loaded.kind === "rejected") return loaded;
        await check(loaded);
        signal.throwIfAborted();
        accept(loaded, origin);
        options.onChange();
        return loaded;
      });
      return untilAborted(turn, signal);
    },
    look,
    async close() {
      closing.abort(new Error("the hub is closing"));
      files?.close();
      await edits;
    },
  };
}
