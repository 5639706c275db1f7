/** Reads the output of one instance as lines: all that is kept or the last few, and on as it grows. */

import { type FSWatcher, watch } from "node:fs";
import { Fault } from "#base/fault.ts";
import type { LogLine, LogOptions } from "#port/runtime.ts";
import { makeLineSplitter } from "./line.ts";
import type { Output } from "./output.ts";

export interface LogSource {
  readonly id: string;
  readonly output: Output;
  /** Nothing more will be written, or nobody shall wait for it. */
  ended(): boolean;
  /** Calls `wake` when `ended` may have changed; returns what takes that back. */
  onEnd(wake: () => void): () => void;
}

const blockBytes = 64 * 1024;

export async function* readLog(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
  if (signal.aborted) return;
  const { output, id } = source;
  const change = options.follow ? watchChange(source, signal) : undefined;
  const splitter = makeLineSplitter();
  const line = (text: string, position: number): LogLine => ({ instance: id, text, at: String(position) });
  const linesOf = (block: Buffer, position: number) => {
    let end = 0;
    return splitter.push(block).map((text) => {
      end = block.indexOf(10, end) + 1;
      return line(text, position + end);
    });
  };
  const buffer = Buffer.alloc(blockBytes);
  try {
    let position = await findBegin(output, options);
    while (!signal.aborted) {
      // Asked before reading: what was written before the end is read after it.
      const last = change === undefined || source.ended();
      for (;;) {
        const length = await output.read(buffer, position);
        if (signal.aborted) return;
        if (output.startBytes > position) {
          // Trimmed past us while we read: these bytes may be half gone.
          const start = output.startBytes;
          for (const text of splitter.end()) yield line(text, position);
          yield line(`… [${start - position} bytes of output were cut off before they were read]`, start);
          position = start;
        } else if (length > 0) {
          const lines = linesOf(buffer.subarray(0, length), position);
          position += length;
          yield* lines;
        } else break;
      }
      if (last) break;
      await change.next();
    }
    if (!signal.aborted) for (const text of splitter.end()) yield line(text, position);
  } finally {
    change?.close();
  }
}

async function findBegin(output: Output, { tail, after }: LogOptions): Promise<number> {
  if (after === undefined) return tail === undefined ? output.startBytes : findTail(output, tail);
  if (!/^\d{1,15}$/.test(after)) throw new Fault("invalid", `${JSON.stringify(after)} is no place in an output`);
  return Math.min(Number(after), output.endBytes());
}

/** Position at which the last `lines` lines begin, looked for from the end. */
async function findTail(output: Output, lines: number): Promise<number> {
  const end = output.endBytes();
  const start = output.startBytes;
  if (lines <= 0) return end;
  const block = Buffer.alloc(blockBytes);
  let found = 0;
  for (let to = end; to > start; ) {
    const from = Math.max(start, to - blockBytes);
    const bytes = block.subarray(0, await output.read(block.subarray(0, to - from), from));
    for (let at = bytes.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(10, at - 1)) {
      // The newline at the very end closes the last line; it does not begin one.
      if (from + at === end - 1) continue;
      if (++found === lines) return from + at + 1;
    }
    to = from;
  }
  return start;
}

/** Wakes when the file changes, the instance ends or the signal aborts; changes between two waits are one. */
function watchChange(source: LogSource, signal: AbortSignal): { next(): Promise<void>; close(): void } {
  let changed = false;
  let wake = () => {};
  const poke = () => {
    changed = true;
    wake();
  };
  const watcher = watchFile(source.output.path, poke);
  watcher.on("error", poke);
  const forgetEnd = source.onEnd(poke);
  signal.addEventListener("abort", poke, { once: true });
  return {
    async next() {
      while (!changed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      changed = false;
    },
    close() {
      watcher.close();
      forgetEnd();
      signal.removeEventListener("abort", poke);
    },
  };
}

function watchFile(path: string, poke: () => void): FSWatcher {
  try {
    return watch(path, poke);
  } catch (error) {
    throw new Fault("internal", "the output cannot be followed: the system gives no more file watches", {
      hint: "Raise them: sysctl fs.inotify.max_user_watches fs.inotify.max_user_instances",
      cause: error,
    });
  }
}
