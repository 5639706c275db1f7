import { evaluate } from "./evaluate.ts";
import type { Evaluate } from "./script-run.ts";

/** Evaluates as Prometheus does for its own scripts: names are dropped at the end of a query. */
export const evaluateForScript: Evaluate = ({ query, expr, time, queryable }, signal) => {
  const span = time.kind === "instant" ? { startMs: time.atMs, endMs: time.atMs, stepMs: 0 } : time;
  const { startMs, endMs, stepMs } = span;
  return evaluate(expr, { startMs, endMs, stepMs, delayNames: true, text: query }, queryable, undefined, signal);
};
