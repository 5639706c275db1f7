import type { Diagnostic } from "@fed/lab";

/** What the parent asks of the child: the one argument, as JSON. All paths are real: no link on the way. */
export interface Question {
  readonly file: string;
  readonly folder: string;
  /** The folder with a slash at its end: every file of the lab begins so. */
  readonly within: string;
  /** URL of the installation's own @fed/lab. */
  readonly language: string;
  /** The child ends itself then, in case nobody is left to end it. */
  readonly timeLimitMs: number;
  /** Of all files of the lab together. */
  readonly sourceLimitBytes: number;
  readonly printedLimitBytes: number;
}

/** The child's last word: what the lab came to, or what is wrong with it. */
export type Answer =
  | { readonly kind: "document"; readonly document: unknown }
  | { readonly kind: "wrong"; readonly diagnostics: readonly Diagnostic[] };

/** One line of JSON on file descriptor 3: a file the lab is made of (or would be, were it there), or the answer, which is the last. */
export type Line = { readonly file: string } | Answer;

/** What a lab did wrong, said by the child. `at` is where, when it is known already. */
export class Wrong extends Error {
  readonly diagnostic: Diagnostic;

  constructor(code: Diagnostic["code"], message: string, hint: string, at?: Diagnostic["at"]) {
    super(message);
    this.diagnostic = { code, severity: "error", path: "", message, hint, ...(at === undefined ? {} : { at }) };
  }
}
