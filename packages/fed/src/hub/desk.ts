import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { EventLog, Origin } from "./event/verbs.ts";
import type { AcceptedLab, RejectedEdit } from "./lab/lab.ts";
import { type LoadedLab, loadLab, type RejectedLab } from "./lab/load.ts";
import { acceptLab, rejectLab } from "./lab/verbs.ts";
import { watchFiles } from "./lab/watch.ts";

export interface DeskOptions {
  /** The lab to begin with, loaded and good. */
  readonly first: LoadedLab;
  /** Take edits of the lab's files as they come. */
  readonly watch: boolean;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  makeCorrelation(): string;
  /** A lab was taken as the wish. */
  onAccepted(lab: AcceptedLab, origin: Origin): void;
  /** The wish or a refused edit has changed. */
  onChange(): void;
}

/** Where the lab file is read: the wish, and the newest edit when it was refused. */
export interface Desk {
  readonly lab: AcceptedLab;
  readonly rejected: RejectedEdit | undefined;
  /** The lab file as it is on disk now. */
  load(signal: AbortSignal): Promise<LoadedLab | RejectedLab>;
  accept(loaded: LoadedLab, origin: Origin): void;
  /** Looks at the file again, as after an edit. */
  look(): void;
  close(): Promise<void>;
}

export function openDesk(options: DeskOptions): Desk {
  const { events, clock, trace, first } = options;
  const closing = new AbortController();
  let rejected: RejectedEdit | undefined;
  let edits: Promise<void> = Promise.resolve();

  const load = (signal: AbortSignal) => loadLab(first.file, { clock }, signal);

  function accept(loaded: LoadedLab, origin: Origin) {
    lab = acceptLab({ events, clock }, origin, loaded);
    rejected = undefined;
    options.onAccepted(lab, origin);
    files?.update(loaded.files);
  }

  async function takeEdit() {
    const loaded = await load(closing.signal);
    const origin = { actor: "file", correlation: options.makeCorrelation() };
    if (loaded.kind === "rejected") {
      rejected = rejectLab({ events, clock }, origin, loaded);
      files?.update(loaded.files);
    } else if (loaded.hash !== lab.hash) accept(loaded, origin);
    else rejected = undefined;
    options.onChange();
  }

  function look() {
    edits = edits.then(takeEdit).catch((thrown) => {
      if (!closing.signal.aborted) trace.error("an edit could not be taken", { reason: String(thrown) });
    });
  }

  const files = options.watch ? watchFiles(first.files, first.folder, look, { clock }) : undefined;
  const origin = { actor: "local", correlation: options.makeCorrelation() };
  let lab = acceptLab({ events, clock }, origin, first);
  options.onAccepted(lab, origin);
  return {
    get lab() {
      return lab;
    },
    get rejected() {
      return rejected;
    },
    load,
    accept,
    look,
    async close() {
      closing.abort(new Error("the hub is closing"));
      files?.close();
      await edits;
    },
  };
}
