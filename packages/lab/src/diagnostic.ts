/** What is wrong with a lab, as data: one diagnostic per mistake, all at once. */

/** The codes of this package's own checks. A code never changes its meaning; new checks get new codes. */
export type DiagnosticCode =
  | "wrong-type"
  | "unknown-key"
  | "missing-key"
  | "bad-name"
  | "reserved-name"
  | "bad-value"
  | "out-of-range"
  | "empty"
  | "duplicate"
  | "shell-syntax"
  | "unknown-machine"
  | "unknown-environment"
  | "unknown-secret"
  | "unknown-service"
  | "unknown-registry"
  | "machine-outside-environment"
  | "not-in-environment"
  | "no-run"
  | "no-port"
  | "no-mount-point"
  | "secret-missing"
  | "needs-cycle"
  | "promotion-cycle"
  | "jump-cycle"
  | "port-collision"
  | "host-collision"
  | "host-port-of-process"
  | "replicas-share"
  | "volume-moves"
  | "reserved-variable"
  | "foreign-part"
  | "same-machine"
  // Said by who evaluates the file, before there is a lab to check.
  | "syntax"
  | "bad-import"
  | "denied"
  | "thrown"
  | "no-lab"
  | "too-large"
  | "time-limit"
  | "memory-limit"
  | "ended-early"
  | "bad-document";

/** A place in a source file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  /** A `DiagnosticCode`, or one of whoever loads the lab (`syntax`, `denied` …). */
  readonly code: string;
  /** Only an error keeps a lab from being used. */
  readonly severity: "error" | "warning";
  /** Where in the lab: `services.blog.needs[0]`; "" for the lab itself. */
  readonly path: string;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** What to do about it, in a sentence. */
  readonly hint?: string;
  /** The nearest call in a source file (`server(…)`, `process(…)`, `defineLab(…)`) where the engine tells it. */
  readonly at?: Place;
}

export type Segment = string | number;
export type Path = readonly Segment[];

/** A diagnostic before its place is looked up: what the readers and checks return. */
export interface Finding {
  readonly code: DiagnosticCode;
  /** "error" when left out. */
  readonly severity?: "error" | "warning";
  readonly path: Path;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** `["services", "blog", "needs", 0]` as `services.blog.needs[0]`; odd names are quoted. */
export function printPath(path: Path): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(segment)) text += `[${JSON.stringify(segment.slice(0, 80))}]`;
    else text += text === "" ? segment : `.${segment}`;
  }
  return text;
}

/** One diagnostic on one line, hint included: `lab.ts:12:9 services.blog.needs[0]: There is no service "dbb". Did you mean "db"?` */
export function printDiagnostic(diagnostic: Diagnostic): string {
  const { at, path, message, hint } = diagnostic;
  const place = at === undefined ? "" : `${at.file}:${at.line}:${at.column} `;
  return `${place}${path === "" ? "" : `${path}: `}${message}${hint === undefined ? "" : ` ${hint}`}`;
}

const shown = 20;

/** Thrown by `defineLab` and `assembleLab`: everything that is wrong, warnings included. At least one is an error. */
export class LabError extends Error {
  override readonly name = "LabError";
  declare readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
    const lines = errors.slice(0, shown).map((diagnostic) => `  ${printDiagnostic(diagnostic)}`);
    const more = errors.length > shown ? [`  … and ${errors.length - shown} more`] : [];
    const count = errors.length === 1 ? "one mistake" : `${errors.length} mistakes`;
    super([`The lab has ${count}:`, ...lines, ...more].join("\n"));
    // Not enumerable: the message says it all, so an uncaught one must not print the list once more.
    Object.defineProperty(this, "diagnostics", { value: diagnostics });
  }
}
