import type { Clock } from "#base/clock.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import type { AcceptedLab, RejectedEdit } from "./lab.ts";
import type { LoadedLab, RejectedLab } from "./load.ts";
import { insertLab } from "./store.ts";

interface Needs {
  readonly events: EventLog;
  readonly clock: Clock;
}

/** Records a loaded lab as the wish. */
export function acceptLab(needs: Needs, origin: Origin, loaded: LoadedLab): AcceptedLab {
  const acceptedMs = needs.clock.nowMs();
  const { document, hash, file, folder, text } = loaded;
  needs.events.deed(origin, (tx, emit) => {
    insertLab(tx, { hash, name: document.name, file, document: text, acceptedMs });
    emit("lab", { type: "lab.accepted", name: document.name, hash, file });
  });
  return { document, hash, file, folder, acceptedMs };
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
