/** Reads the output of an instance, from its end, from its beginning or from a place in between. */
import { childController } from "#base/abort.ts";
import { sleep } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { LogLine, LogOptions } from "#port/runtime.ts";
import { readFrames } from "./frame.ts";
import { type Place, type PlacedLine, parsePlace, placeText, readPlacedLines } from "./line.ts";
import { beginListening } from "./listen.ts";
import { lookAt, requireInstance } from "./look.ts";
import { onEnd, requireOpen, type State } from "./state.ts";

/** Where both streams write at once, a line may stand behind one that is a little later; never by so much. */
const disorderNs = 2_000_000_000n;
/** Between two looks for new lines, when some came; doubled while none come. */
const firstPauseMs = 100;
const longestPauseMs = 1_000;
/** How many of the last lines are asked for to find the new ones among them; then all since. */
const windows = [16, 256, 4_096];
/** Lines held back while a place is looked for. */
const heldLimit = 10_000;

interface Source {
  readonly state: State;
  readonly container: string;
  readonly signal: AbortSignal;
  /** Whether what has no end yet is a line, too: not while more of it may come. */
  readonly rest: boolean;
}

export async function* readLog(
  state: State,
  id: string,
  options: LogOptions,
  given: AbortSignal,
): AsyncGenerator<LogLine> {
  if (given.aborted) return;
  requireOpen(state);
  const after = options.after === undefined ? undefined : parsePlace(options.after);
  if (options.after !== undefined && after === undefined)
    throw new Fault("invalid", `${JSON.stringify(options.after)} is no place in an output`);
  const { controller, release } = childController(given);
  const { signal } = controller;
  const close = () => controller.abort(state.closing.signal.reason);
  state.closing.signal.addEventListener("abort", close, { once: true });
  try {
    if (options.follow) beginListening(state);
    const { container, instance } = await requireInstance(state, id, signal);
    const follow = options.follow === true && instance.state === "running";
    for await (const line of readFrom({ state, container, signal, rest: !follow }, after, { ...options, follow })) {
      if (signal.aborted) return;
      yield { instance: id, text: line.text, at: placeText(line) };
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    state.closing.signal.removeEventListener("abort", close);
    release();
    controller.abort();
  }
}

async function* readFrom(source: Source, after: Place | undefined, options: LogOptions): AsyncGenerator<PlacedLine> {
  const { tail, follow = false } = options;
  let last: Place | undefined = after;
  const lines =
    after !== undefined ? readAfter(source, after) : tail === undefined ? ask(source, {}) : lastOf(source, tail);
  for await (const line of lines) {
    last = line;
    if (after !== undefined || tail !== 0) yield line;
  }
  if (follow) yield* readOn(source, last);
}

/** With no line asked for, the last one still says from where on lines are new. */
async function* lastOf(source: Source, tail: number): AsyncGenerator<PlacedLine> {
  yield* await readTail(source, Math.max(tail, 1));
}

/**
 * What comes behind a place until the instance has ended: asked for again and again. An engine's own following is not relied on: that of
 * Docker 20.10 loses or repeats lines where one file of the output is full and the next begins, and Podman's may forget to end.
 */
async function* readOn(source: Source, after: Place | undefined): AsyncGenerator<PlacedLine> {
  const { state, container, signal } = source;
  let last = after;
  let hasEnded = false;
  let wake = () => {};
  const forget = onEnd(state, container, () => {
    hasEnded = true;
    wake();
  });
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      if (!hasEnded && !state.hears) hasEnded = (await lookAt(state, container, signal))?.instance.state !== "running";
      // An engine tells of an end when all output is written.
      const isLast = hasEnded;
      const now = { ...source, rest: isLast };
      for await (const line of last === undefined ? ask(now, {}) : readNew(now, last)) {
        last = line;
        pauseMs = firstPauseMs / 2;
        yield line;
      }
      if (isLast) return;
      if (hasEnded) continue;
      const ended = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([ended, sleep(state.clock, pauseMs, signal)]);
    }
  } finally {
    forget();
  }
}

/** What is behind a place near the end. Reading a few lines from the end costs an engine next to nothing, a search from the beginning much. */
async function* readNew(source: Source, last: Place): AsyncGenerator<PlacedLine> {
  for (const tail of windows) {
    const lines: PlacedLine[] = [];
    for await (const line of ask(source, { tail })) lines.push(line);
    const isAll = lines.length < tail;
    // Only those of a later moment than the first are counted rightly.
    const [first] = lines;
    if (!isAll && (first === undefined || first.timeNs >= last.timeNs)) continue;
    const at = lines.findIndex((line) => line.timeNs === last.timeNs && line.nth === last.nth);
    if (at < 0) break;
    yield* lines.slice(at + 1);
    return;
  }
  yield* readAfter(source, last);
}

/** The last few, counted as if they were read from the beginning. */
async function readTail(source: Source, tail: number): Promise<readonly PlacedLine[]> {
  const lines: PlacedLine[] = [];
  for await (const line of ask(source, { tail: tail + 1 })) lines.push(line);
  if (lines.length <= tail) return lines;
  const [before, ...wanted] = lines;
  const [first] = wanted;
  // The one before is of another moment: then they are counted rightly.
  if (first === undefined || before?.timeNs !== first.timeNs) return wanted;
  const isWith = (line: PlacedLine) => line.timeNs === first.timeNs;
  let together = 0;
  for await (const line of ask(source, { sinceNs: first.timeNs })) {
    if (isWith(line)) together++;
    else if (line.timeNs > first.timeNs + disorderNs) break;
  }
  const missed = Math.max(0, together - lines.filter(isWith).length);
  return wanted.map((line) => (isWith(line) ? { ...line, nth: line.nth + missed } : line));
}

async function* readAfter(source: Source, after: Place): AsyncGenerator<PlacedLine> {
  const held: PlacedLine[] = [];
  let found = false;
  const flush = () => [{ ...after, text: "… [lines before this were cut off]" }, ...held];
  for await (const line of ask(source, { sinceNs: after.timeNs })) {
    if (found) yield line;
    else if (line.timeNs === after.timeNs && line.nth === after.nth) found = true;
    else if (line.timeNs > after.timeNs) {
      held.push(line);
      if (line.timeNs - after.timeNs < disorderNs && held.length < heldLimit) continue;
      found = true;
      yield* flush();
    }
  }
  if (!found && held.length > 0) yield* flush();
}

interface Ask {
  readonly tail?: number;
  readonly sinceNs?: bigint;
}

/** Lines with their places, which are right where the reading begins before the moment, or with the output. */
async function* ask({ state, container, signal, rest }: Source, { tail, sinceNs }: Ask): AsyncGenerator<PlacedLine> {
  const { client, dialect } = state;
  const query = {
    ...{ stdout: true, stderr: true, timestamps: true },
    ...(tail === undefined ? {} : { tail }),
    ...(sinceNs === undefined ? {} : { since: dialect.logSince(sinceNs) }),
  };
  const path = dialect.logPath(container);
  const body = await client.stream({ method: "GET", path, query, what: "output" }, signal);
  yield* readPlacedLines(readFrames(body), rest);
}
