import { type Labels, metricName } from "../../series/labels.ts";
import type { Expr } from "../ast.ts";
import { setLabel } from "./name.ts";
import { bare, emptyDraft, type Frame, isEmpty, type Query, type Visit } from "./query.ts";

/** 1 at the moments at which a vector is empty. */
export async function streamAbsent(query: Query, arg: Expr, frame: Frame, visit: Visit): Promise<void> {
  const absent = emptyDraft(absentLabels(bare(arg)), frame);
  absent.values.fill(1);
  absent.present.fill(1);
  await query.stream(arg, frame, ({ present }) => {
    for (let i = 0; i < present.length; i++) if (present[i] === 1) absent.present[i] = 0;
  });
  if (!isEmpty(absent)) visit(absent);
}

/** The labels that what is missing would have: those of the selector's `=`, where only one is said of a label. */
export function absentLabels(arg: Expr): Labels {
  const selector = arg.kind === "matrix" ? arg.selector : arg;
  if (selector.kind !== "vector") return [];
  const seen = new Set<string>();
  let labels: Labels = [];
  for (const { name, kind, value } of selector.matchers) {
    if (name === metricName) continue;
    const isFirst = kind === "=" && !seen.has(name);
    labels = setLabel(labels, name, isFirst ? value : "");
    if (isFirst) seen.add(name);
  }
  return labels;
}
