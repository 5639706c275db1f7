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
  const line = (text: string): LogLine => ({ instance: id, text });
  const buffer = Buffer.alloc(blockBytes);
  try {
    let position = options.tail === undefined ? output.startBytes : await findTail(output, options.tail);
    while (!signal.aborted) {
      // Asked before reading: what was written before the end is read after it.
      const last = change === undefined || source.ended();
      for (;;) {
        const length = await output.read(buffer, position);
        if (signal.aborted) return;
        if (output.startBytes > position) {
          // Trimmed past us while we read: these bytes may be half gone.
          yield* splitter.end().map(line);
          yield line(`… [${output.startBytes - position} bytes of output were cut off before they were read]`);
          position = output.startBytes;
        } else if (length > 0) {
          position += length;
          yield* splitter.push(buffer.subarray(0, length)).map(line);
        } else break;
      }
      if (last) break;
      await change.next();
    }
    if (!signal.aborted) yield* splitter.end().map(line);
  } finally {
    change?.close();
  }
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
