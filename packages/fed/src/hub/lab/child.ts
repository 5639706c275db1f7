import { spawn } from "node:child_process";
import { flushCompileCache, getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Question } from "./answer.ts";
import { childArgv } from "./argv.ts";

export interface ChildLimits {
  readonly timeLimitMs: number;
  readonly memoryLimitMiB: number;
  /** Of everything on the answering pipe. */
  readonly answerLimitBytes: number;
  /** Of each output stream; the rest is read and dropped. */
  readonly printedLimitBytes: number;
}

/** How the child ended, and what it left. Nothing in it is to be believed: the lab could have written it all. */
export interface Ending {
  /** The lines of the answering pipe, parsed. */
  readonly lines: readonly unknown[];
  readonly stdout: string;
  readonly stderr: string;
  /** The limit that ended it. */
  readonly limit: "time" | "answer" | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Of the answering pipe: one for each file, and the answer. */
const lineLimit = 10_000;

/** Evaluates the lab in a process that may read its folder and compute, and waits until that process is gone. */
export function runChild(question: Question, limits: ChildLimits, clock: Clock, signal?: AbortSignal): Promise<Ending> {
  signal?.throwIfAborted();
  const cache = getCompileCacheDir();
  const [shell = "", ...argv] = childArgv(question, limits, cache);
  const child = spawn(shell, argv, {
    cwd: question.folder,
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache), NODE_COMPILE_CACHE_READONLY: "1" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true, // A process group of its own: Ctrl-C is the hub's to hear, and one kill gets all of it.
  });
  if (cache !== undefined && !warmed) void warmCache();
  return new Promise((resolve, reject) => {
    let limit: Ending["limit"];
    const kill = () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid);
    };
    const timer = clock.after(limits.timeLimitMs, () => {
      limit = "time";
      kill();
    });
    signal?.addEventListener("abort", kill, { once: true });
    const forget = () => {
      timer.cancel();
      signal?.removeEventListener("abort", kill);
    };
    const stdout = keepStart(child.stdio[1] as Readable, limits.printedLimitBytes);
    const stderr = keepStart(child.stdio[2] as Readable, limits.printedLimitBytes);
    const lines = readLines(child.stdio[3] as Readable, limits.answerLimitBytes, kill, () => {
      limit = "answer";
      kill();
    });
    child.on("error", (cause) => {
      forget();
      reject(new Fault("internal", `cannot start a process to evaluate the lab: ${cause.message}`, { cause }));
    });
    child.on("close", (exitCode, endSignal) => {
      forget();
      if (signal?.aborted) return reject(signal.reason);
      resolve({ lines: lines(), stdout: stdout(), stderr: stderr(), limit, exitCode, signal: endSignal });
    });
  });
}

let warmed = false;

/**
 * The child may not write to Node's compile cache, so this process does, while it waits: it loads what else only the child
 * would, and writes now, since Node does so at its end only and a hub runs for weeks. A load then takes 30 ms less.
 */
async function warmCache(): Promise<void> {
  warmed = true;
  await Promise.all([import("./sources.ts"), import("./surroundings.ts")]);
  flushCompileCache();
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/** Reads all of a stream, keeps its first bytes. */
function keepStart(stream: Readable, limitBytes: number): () => string {
  const kept: Buffer[] = [];
  let left = limitBytes;
  stream.on("data", (chunk: Buffer) => {
    if (left > 0) kept.push(chunk.subarray(0, left));
    left -= chunk.length;
  });
  stream.on("error", () => {}); // Cut off with the child.
  return () => Buffer.concat(kept).toString("utf8");
}

/** Reads lines of JSON. `onDocument` when one is a document: nothing better can follow. */
function readLines(stream: Readable, limitBytes: number, onDocument: () => void, onLimit: () => void): () => unknown[] {
  const chunks: Buffer[] = [];
  const lines: unknown[] = [];
  let left = limitBytes;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) return onLimit();
    chunks.push(chunk);
    if (!chunk.includes(10)) return;
    const parts = Buffer.concat(chunks.splice(0)).toString("utf8").split("\n");
    chunks.push(Buffer.from(parts.pop() ?? ""));
    if (lines.length + parts.length > lineLimit) return onLimit();
    const fresh = parts.map(parse);
    lines.push(...fresh);
    if (fresh.some((line) => typeof line === "object" && line !== null && "document" in line)) onDocument();
  });
  return () => lines;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
