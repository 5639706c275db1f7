import { plainLine } from "../view/ansi.ts";

interface RawLine {
  readonly instance: string;
  readonly text: string;
}

/** Opens the stream of a service's output, from its last lines on. */
export type OpenOutput = (signal: AbortSignal) => AsyncIterable<RawLine>;

export interface OutputListener {
  /** Lines that came close together. */
  onLines(lines: readonly RawLine[]): void;
  /** The stream is read anew: what was shown comes once more. */
  onAgain(): void;
  /** The stream broke; it is tried again by itself. */
  onBroken(thrown: unknown): void;
}

/** Lines are drawn together so many times a second. */
const gatherMs = 50;
const firstPauseMs = 500;
const longestPauseMs = 8000;

/** Reads until the signal aborts. When the stream ends or breaks it begins again, after a pause that grows. */
export async function readOutput(open: OpenOutput, listener: OutputListener, signal: AbortSignal): Promise<void> {
  let pauseMs = firstPauseMs;
  let again = false;
  while (!signal.aborted) {
    const gathered = gather(listener, signal);
    try {
      for await (const { instance, text } of open(signal)) {
        if (again) listener.onAgain();
        again = false;
        pauseMs = firstPauseMs;
        gathered.add({ instance, text: plainLine(text) });
      }
    } catch (thrown) {
      if (!signal.aborted) listener.onBroken(thrown);
    }
    gathered.flush();
    again = true;
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

function gather(listener: OutputListener, signal: AbortSignal) {
  let lines: RawLine[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const ready = lines;
    lines = [];
    if (ready.length > 0 && !signal.aborted) listener.onLines(ready);
  };
  return {
    add(line: RawLine) {
      lines.push(line);
      timer ??= setTimeout(flush, gatherMs);
    },
    flush,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
