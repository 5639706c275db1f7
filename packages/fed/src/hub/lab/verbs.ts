import { hashText, printLab, readLab } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import type { Reader, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { AcceptedLab, RejectedEdit } from "./lab.ts";
import type { LoadedLab, RejectedLab } from "./load.ts";
import { saveLab, selectLabNames, selectNewestLab } from "./store.ts";

interface Needs {
  readonly events: EventLog;
  readonly clock: Clock;
}

/** What a lab means to somebody else, chosen before it is recorded. */
export interface Part {
  /** Writes its rows and events, in the transaction of the lab. */
  record(tx: Tx, emit: Emit): void;
  /** Takes it up in memory, once all of it is committed. Never throws. */
  take(): void;
}

/**
 * Records a loaded lab as the wish, and with it, in one transaction, what it means to others: a wish is never there in
 * part, so one that could not be recorded is tried again as a whole.
 */
export function acceptLab(
  needs: Needs,
  origin: Origin,
  loaded: LoadedLab,
  partsOf: (lab: AcceptedLab) => readonly Part[],
): AcceptedLab {
  const acceptedMs = needs.clock.nowMs();
  const { document, hash, file, folder, text } = loaded;
  const lab = { document, hash, file, folder, acceptedMs };
  const parts = partsOf(lab);
  needs.events.deed(origin, (tx, emit) => {
    saveLab(tx, { hash, name: document.name, file, document: text, acceptedMs });
    emit("lab", { type: "lab.accepted", name: document.name, hash, file });
    for (const part of parts) part.record(tx, emit);
  });
  for (const part of parts) part.take();
  return lab;
}

/** Takes up a lab that was accepted before, as if it had never been away: nothing about it is recorded anew. */
export function recallLab(
  needs: Needs,
  origin: Origin,
  loaded: LoadedLab,
  partsOf: (lab: AcceptedLab) => readonly Part[],
  acceptedMs = needs.clock.nowMs(),
): AcceptedLab {
  const { document, hash, file, folder } = loaded;
  const lab = { document, hash, file, folder, acceptedMs };
  const parts = partsOf(lab);
  needs.events.deed(origin, (tx, emit) => {
    for (const part of parts) part.record(tx, emit);
  });
  for (const part of parts) part.take();
  return lab;
}

/** Records that an edit was refused; the wish stays. */
export function rejectLab(needs: Needs, origin: Origin, rejected: RejectedLab): RejectedEdit {
  const errors = rejected.diagnostics.filter(({ severity }) => severity === "error");
  needs.events.deed(origin, (_tx, emit) => {
    emit("lab", {
      type: "lab.rejected",
      file: rejected.file,
      errors: errors.length,
      first: (errors[0]?.message ?? "").slice(0, 500),
    });
  });
  return { atMs: needs.clock.nowMs(), diagnostics: rejected.diagnostics };
}

/** The names of all labs that this hub has ever accepted: what runs under one of them is its own. */
export function acceptedNames(db: Reader): ReadonlySet<string> {
  return new Set(selectLabNames(db));
}

/**
 * The newest lab of this file that was accepted, for a start with a file that is bad or gone; undefined when there is
 * none, or none that this version still takes.
 */
export function lastAccepted(
  db: Reader,
  { file, folder }: Pick<RejectedLab, "file" | "folder">,
): { readonly loaded: LoadedLab; readonly acceptedMs: number } | undefined {
  const row = selectNewestLab(db, file);
  const { lab } = row === undefined ? { lab: undefined } : readLab(JSON.parse(row.document));
  if (row === undefined || lab === undefined) return undefined;
  const text = printLab(lab);
  const found = { file, folder, files: [file], printed: "" };
  return {
    loaded: { kind: "loaded", ...found, document: lab, text, hash: hashText(text), warnings: [] },
    acceptedMs: row.acceptedMs,
  };
}
