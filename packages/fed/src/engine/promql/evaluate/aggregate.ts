import { Fault } from "#base/fault.ts";
import { type Labels, labelsKey, metricName } from "../../series/labels.ts";
import type { Aggregation, Expr } from "../ast.ts";
import { quote } from "../quote.ts";
import { type Accumulator, openAccumulator } from "./accumulate.ts";
import { keepLabels, setLabel } from "./name.ts";
import { checkQuantile, formatPlain } from "./note.ts";
import { quantileOf } from "./quantile.ts";
import { bare, type Draft, eachInTurn, emptyDraft, type Frame, type Query, type Visit } from "./query.ts";
import { streamRanked } from "./rank.ts";
import { isLabelName } from "./relabel.ts";

/** An aggregation's instant vector. */
export async function streamAggregation(query: Query, expr: Aggregation, frame: Frame, visit: Visit): Promise<void> {
  switch (expr.op) {
    case "topk":
    case "bottomk":
      return await streamRanked(query, expr, frame, groupLabels, visit);
    case "quantile":
      return await streamQuantile(query, expr, frame, visit);
    case "count_values":
      return await streamCounts(query, expr, frame, visit);
    default:
      return await streamGroups(query, expr, frame, visit);
  }
}

/** The labels of the group that a series belongs to. */
function groupLabels({ grouping }: Aggregation, labels: Labels): Labels {
  if (grouping.kind === "without") {
    return keepLabels(labels, (name) => name !== metricName && !grouping.labels.includes(name));
  }
  if (grouping.labels.length === 0) return [];
  return keepLabels(labels, (name) => grouping.labels.includes(name));
}

async function streamGroups(query: Query, expr: Aggregation, frame: Frame, visit: Visit): Promise<void> {
  const groups = new Map<string, { draft: Draft; accumulator: Accumulator }>();
  await query.stream(expr.expr, frame, (draft) => {
    const labels = groupLabels(expr, draft.labels);
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) {
      query.budget.hold(frame.steps);
      const result = emptyDraft(labels, frame);
      group = { draft: result, accumulator: openAccumulator(expr.op, result.values, result.present) };
      groups.set(key, group);
    }
    group.draft.dropName ||= draft.dropName;
    group.accumulator.add(draft.values, draft.present);
  });
  await eachInTurn(query, groups.values(), ({ draft, accumulator }) => {
    accumulator.finish();
    visit(draft);
  });
}

async function streamQuantile(query: Query, expr: Aggregation, frame: Frame, visit: Visit): Promise<void> {
  const param = expr.param as Expr;
  const quantiles = await query.scalar(param, frame);
  for (const quantile of extremes(quantiles)) checkQuantile(query.notes, quantile, bare(param).span);
  const groups = new Map<string, { draft: Draft; members: Draft[] }>();
  await query.stream(expr.expr, frame, (draft) => {
    query.budget.hold(frame.steps);
    const labels = groupLabels(expr, draft.labels);
    const key = labelsKey(labels);
    const group = groups.get(key) ?? { draft: emptyDraft(labels, frame), members: [] };
    groups.set(key, group);
    group.draft.dropName ||= draft.dropName;
    group.members.push(draft);
  });
  for (const { draft, members } of groups.values()) {
    const now = new Float64Array(members.length);
    for (let i = 0; i < frame.steps; i++) {
      let count = 0;
      for (const { values, present } of members) if (present[i] === 1) now[count++] = values[i] as number;
      if (count === 0) continue;
      draft.values[i] = quantileOf(quantiles[i] as number, now.subarray(0, count));
      draft.present[i] = 1;
      if (query.budget.due) await query.budget.rest();
    }
    visit(draft);
  }
}

/** Those that are worth a warning: NaN, the largest above 1 and the smallest below 0. */
function extremes(values: Float64Array): readonly number[] {
  const above = values.reduce((a, b) => (b > a ? b : a), 1);
  const below = values.reduce((a, b) => (b < a ? b : a), 0);
  return [...(values.some(Number.isNaN) ? [Number.NaN] : []), above, below];
}

async function streamCounts(query: Query, expr: Aggregation, frame: Frame, visit: Visit): Promise<void> {
  const param = bare(expr.param as Expr);
  const name = param.kind === "string" ? param.value : "";
  if (!isLabelName(name)) throw new Fault("invalid", `invalid label name ${quote(name)}`);
  const { grouping } = expr;
  const counted: Aggregation =
    grouping.kind === "by" ? { ...expr, grouping: { ...grouping, labels: [...grouping.labels, name] } } : expr;
  const groups = new Map<string, Draft>();
  await query.stream(expr.expr, frame, ({ labels, values, present }) => {
    const known = new Map<string, Draft>();
    for (let i = 0; i < frame.steps; i++) {
      if (present[i] === 0) continue;
      const value = formatPlain(values[i] as number);
      let group = known.get(value);
      if (group === undefined) {
        const wanted = groupLabels(counted, setLabel(labels, name, value));
        group = groups.get(labelsKey(wanted));
        if (group === undefined) {
          query.budget.hold(frame.steps);
          group = emptyDraft(wanted, frame);
          groups.set(labelsKey(wanted), group);
        }
        known.set(value, group);
      }
      group.values[i] = (group.values[i] as number) + 1;
      group.present[i] = 1;
    }
  });
  await eachInTurn(query, groups.values(), visit);
}
