import type { Diagnostic, LabDocument } from "@fed/lab";

/** The lab as it is wished now. */
export interface AcceptedLab {
  readonly document: LabDocument;
  readonly hash: string;
  readonly file: string;
  readonly folder: string;
  readonly acceptedMs: number;
}

/** An edit that was refused while the accepted lab goes on. */
export interface RejectedEdit {
  readonly atMs: number;
  readonly diagnostics: readonly Diagnostic[];
}
