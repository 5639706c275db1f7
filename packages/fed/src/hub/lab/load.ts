import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Diagnostic, hashText, type LabDocument, printLab, readLab } from "@fed/lab";
import type { Clock } from "#base/clock.ts";
import type { Fault } from "#base/fault.ts";
import type { Question } from "./answer.ts";
import { runChild } from "./child.ts";
import { locateLab, sourceLimitBytes } from "./locate.ts";
import { filesOf, readEnding } from "./read-ending.ts";

export interface LoadedLab {
  readonly kind: "loaded";
  /** Absolute, as all paths here, and with no link on the way. */
  readonly file: string;
  readonly folder: string;
  readonly document: LabDocument;
  /** The document as canonical JSON. */
  readonly text: string;
  /** Of the text. */
  readonly hash: string;
  /** Every file the lab is made of, to watch. */
  readonly files: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** What the lab printed, its first 64 KiB. */
  readonly printed: string;
}

export interface RejectedLab {
  readonly kind: "rejected";
  readonly file: string;
  readonly folder: string;
  /** At least one is an error. */
  readonly diagnostics: readonly Diagnostic[];
  /** As far as it came; with a file that it misses. */
  readonly files: readonly string[];
  readonly printed: string;
}

export interface LoadOptions {
  readonly clock: Clock;
  /** 10,000 when left out. */
  readonly timeLimitMs?: number;
  /** Of JavaScript values; 256 when left out. */
  readonly memoryLimitMiB?: number;
}

const answerLimitBytes = 32 * 2 ** 20;
const printedLimitBytes = 64 * 2 ** 10;

/** The installation's own, wherever the lab lies and whatever is installed beside it. */
const language = pathToFileURL(createRequire(import.meta.url).resolve("@fed/lab")).href;

/**
 * Evaluates the lab at `path` (a file, or a folder with a `lab.ts`) in a process without rights. What the lab does wrong
 * is `rejected`; a path that is no readable lab file is a Fault (`missing`, `denied`, `invalid`). Rejects with the
 * signal's reason when aborted; the process is gone by then, as in every other case.
 */
export async function loadLab(
  path: string,
  options: LoadOptions,
  signal?: AbortSignal,
): Promise<LoadedLab | RejectedLab> {
  const { clock, timeLimitMs = 10_000, memoryLimitMiB = 256 } = options;
  const limits = { timeLimitMs, memoryLimitMiB, answerLimitBytes, printedLimitBytes };
  const location = locateLab(path);
  const question: Question = { ...location, language, timeLimitMs, sourceLimitBytes, printedLimitBytes };
  const ending = await runChild(question, limits, clock, signal);
  const { file, folder, within } = location;
  const found = { file, folder, files: [...new Set([file, ...filesOf(ending, within)])], printed: ending.stdout };
  const outcome = readEnding(ending, limits);
  if (outcome.kind === "wrong") return { kind: "rejected", ...found, diagnostics: outcome.diagnostics };
  // The lab could have written the answer itself: only what is found right here counts.
  const { lab, diagnostics } = readLab(outcome.document);
  if (lab === undefined) return { kind: "rejected", ...found, diagnostics };
  const text = printLab(lab);
  return { kind: "loaded", ...found, document: lab, text, hash: hashText(text), warnings: diagnostics };
}

/** That a lab's file cannot be read at all (it is gone, or may not be read), as what is wrong with it. */
export function rejectedBy({ code, message, hint }: Fault, file: string, folder: string): RejectedLab {
  const diagnostic = { code, severity: "error", path: "", message, ...(hint === undefined ? {} : { hint }) } as const;
  return { kind: "rejected", file, folder, diagnostics: [diagnostic], files: [file], printed: "" };
}
