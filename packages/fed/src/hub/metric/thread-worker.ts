/** The thread of the hub that evaluates queries, writes their answers and reads what is sent: see `thread.ts`. */
import { setImmediate as giveWay } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import { evaluate } from "#engine/promql/evaluate.ts";
import type { Answer } from "#engine/promql/result.ts";
import { labelsKey, labelsToRecord } from "#engine/series/labels.ts";
import type { Selection } from "#engine/series/queryable.ts";
import { joinTsdb } from "#engine/tsdb/remote.ts";
import { type Pieces, piecesOfList, piecesOfResult } from "./answer.ts";
import { makeKeep } from "./keep.ts";
import { parseQuery, type Span } from "./metric.ts";
import { mostFetched, queryLimits } from "./setting.ts";
import type { Order, Question, Reply, Selectors } from "./thread-message.ts";

interface Running {
  readonly controller: AbortController;
  /** So many pieces may be sent before the hub has taken one. */
  seats: number;
  wake(): void;
  executing: boolean;
}

/** Enough that neither side waits for the other. */
const seatsOfOne = 4;

/** The store, by the port that the hub was given for this thread. */
const store = joinTsdb((workerData as { readonly store: MessagePort }).store);
const keep = makeKeep();
const running = new Map<number, Running>();
/** Cells of answers that are being fetched. */
let fetched = 0;

parentPort?.on("message", (order: Order) => {
  const one = running.get(order.id);
  switch (order.kind) {
    case "more":
      if (one !== undefined) one.seats++;
      return one?.wake();
    case "end":
      one?.controller.abort(new Fault("internal", "nobody waits for this answer any more"));
      return one?.wake();
    default:
      void perform(order);
  }
});

function reply(message: Reply, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers);
}

async function perform(order: Extract<Order, { kind: "ask" | "keep" }>): Promise<void> {
  const { id } = order;
  const one: Running = { controller: new AbortController(), seats: seatsOfOne, wake: () => {}, executing: false };
  running.set(id, one);
  try {
    if (order.kind === "keep") reply({ id, kind: "kept", kept: await keep(store, order.sent, order.tenant) });
    else await answer(id, order.question, one);
  } catch (thrown) {
    const { code, message, hint, details } = toFault(thrown);
    reply({ id, kind: "fault", code, message, hint, details, executing: one.executing });
  } finally {
    running.delete(id);
  }
}

async function answer(id: number, question: Question, one: Running): Promise<void> {
  const { signal } = one.controller;
  if (question.kind !== "query") return await send(id, await listOf(question, signal), one);
  const { text, range, timeoutMs, limit } = question;
  const expr = parseQuery(text, range.stepMs > 0);
  one.executing = true;
  const options = { ...range, text, clock: systemClock };
  const result = await evaluate(expr, options, store, { ...queryLimits, timeoutMs }, signal);
  const cells = cellsOf(result.answer);
  // Who fetches slowly keeps the whole answer in memory.
  if (fetched + cells > mostFetched) {
    throw new Fault("unreachable", "too many long answers are being fetched", { hint: "Try again in a moment." });
  }
  fetched += cells;
  try {
    await send(id, piecesOfResult(result, limit), one);
  } finally {
    fetched -= cells;
  }
}

function cellsOf(answer: Answer): number {
  if (answer.kind === "matrix") return answer.columns.length * answer.steps;
  if (answer.kind === "samples") return answer.series.reduce((sum, { times }) => sum + times.length, 0);
  return answer.kind === "vector" ? answer.points.length : 1;
}

async function send(id: number, pieces: Pieces, one: Running): Promise<void> {
  const { signal } = one.controller;
  let before: Uint8Array<ArrayBuffer> | undefined;
  const post = (piece: Uint8Array<ArrayBuffer>, last: boolean) =>
    reply({ id, kind: "piece", piece, last }, [piece.buffer]);
  for (const piece of pieces) {
    if (before !== undefined) {
      while (one.seats <= 0 && !signal.aborted) await seat(one);
      one.seats--;
      post(before, false);
      await giveWay();
      signal.throwIfAborted();
    }
    before = piece;
  }
  if (before !== undefined) post(before, true);
}

function seat(one: Running): Promise<void> {
  return new Promise((resolve) => {
    one.wake = resolve;
  });
}

async function listOf(question: Exclude<Question, { kind: "query" }>, signal: AbortSignal): Promise<Pieces> {
  const { selectors, span, limit } = question;
  if (question.kind === "series") {
    const found = await ofEach(selectors, span, (selection) => store.series(selection, signal));
    const each = selectors.length < 2 ? found : new Map(found.map((labels) => [labelsKey(labels), labels])).values();
    return piecesOfList([...each], limit, labelsToRecord);
  }
  const names = await ofEach(selectors, span, (selection) =>
    question.kind === "labelNames"
      ? store.labelNames(selection, signal)
      : store.labelValues(question.name, selection, signal),
  );
  return piecesOfList([...new Set(names)].sort(), limit, (name) => name);
}

async function ofEach<T>(
  selectors: Selectors,
  span: Span,
  ask: (selection: Selection) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const found: (readonly T[])[] = [];
  for (const matchers of selectors.length === 0 ? [[]] : selectors) found.push(await ask({ ...span, matchers }));
  return found.flat();
}
