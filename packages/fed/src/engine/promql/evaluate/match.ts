import { Fault } from "#base/fault.ts";
import { type Labels, labelsKey, labelValue, metricName } from "../../series/labels.ts";
import type { Binary, Matching } from "../ast.ts";
import { arithmetic, comparisons } from "./math.ts";
import { compareLabels, keepLabels, openMerger, printLabels, setLabel, withoutMetadata } from "./name.ts";
import { collect, type Draft, eachInTurn, emptyDraft, type Frame, isEmpty, type Query, type Visit } from "./query.ts";

/** Series of both sides that have the labels in common by which they are matched. */
interface Group {
  readonly left: Draft[];
  readonly right: Draft[];
}

/** An operation between two instant vectors. */
export async function streamMatched(query: Query, expr: Binary, frame: Frame, visit: Visit): Promise<void> {
  const matching = expr.matching as Matching;
  const left = await collect(query, expr.left, frame);
  const right = await collect(query, expr.right, frame);
  const groups = await groupUp(query, matching, left, right);
  const merger = openMerger();
  const add = (draft: Draft) => {
    if (isEmpty(draft)) return;
    query.budget.hold(frame.steps);
    merger.add(draft);
  };
  const isSet = expr.op === "and" || expr.op === "or" || expr.op === "unless";
  const work = isSet ? undefined : openWork(query, expr, matching, frame, { left, right });
  await eachInTurn(query, groups, (group) => {
    if (work === undefined) combine(expr.op, group, add);
    else if (isPair(work, group)) matchPair(work, group.left[0] as Draft, group.right[0] as Draft, add);
    else matchGroup(work, group, add);
  });
  await eachInTurn(query, merger.drafts, visit);
}

/** The labels by which a series finds its match. */
function matchLabels({ on, labels }: Matching, given: Labels): Labels {
  return on
    ? keepLabels(given, (name) => labels.includes(name))
    : keepLabels(given, (name) => name !== metricName && !labels.includes(name));
}

async function groupUp(
  query: Query,
  matching: Matching,
  left: readonly Draft[],
  right: readonly Draft[],
): Promise<Iterable<Group>> {
  const groups = new Map<string, Group>();
  const of = (draft: Draft) => {
    const key = labelsKey(matchLabels(matching, draft.labels));
    let group = groups.get(key);
    if (group === undefined) {
      group = { left: [], right: [] };
      groups.set(key, group);
    }
    return group;
  };
  await eachInTurn(query, left, (draft) => of(draft).left.push(draft));
  await eachInTurn(query, right, (draft) => of(draft).right.push(draft));
  return groups.values();
}

/** One series on each side and nothing to fill in: most groups of most queries. */
function isPair({ fillMany, fillOne }: Work, { left, right }: Group): boolean {
  return left.length === 1 && right.length === 1 && fillMany === undefined && fillOne === undefined;
}

/** Works in the columns of the left side. */
function matchPair(work: Work, left: Draft, right: Draft, add: Visit): void {
  const { returnBool } = work.expr;
  const { values, present } = left;
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0 || right.present[i] === 0) {
      present[i] = 0;
      continue;
    }
    const [a, b] = [values[i] as number, right.values[i] as number];
    const keep = work.keeps(a, b);
    if (returnBool) values[i] = keep ? 1 : 0;
    else if (keep) values[i] = work.calculate(a, b);
    else present[i] = 0;
  }
  const [many, one] = work.swapped ? [right, left] : [left, right];
  add({ ...resultOf(work, many, one), values, present });
}

function combine(op: Binary["op"], { left, right }: Group, add: Visit): void {
  const [other, same] = op === "or" ? [left, right] : [right, left];
  const taken = op === "or" ? left : [];
  const mask = presentInAny(other);
  const wanted = op === "and" ? 1 : 0;
  for (const draft of taken) add(draft);
  for (const draft of same) {
    const { present } = draft;
    for (let i = 0; i < present.length; i++) {
      if ((mask === undefined ? 0 : mask[i]) !== wanted) present[i] = 0;
    }
    add(draft);
  }
}

/** 1 where any of the series has a value; undefined for no series at all. */
function presentInAny(drafts: readonly Draft[]): Uint8Array | undefined {
  const [first, ...others] = drafts;
  if (first === undefined) return undefined;
  const mask = first.present.slice();
  for (const { present } of others) for (let i = 0; i < mask.length; i++) if (present[i] === 1) mask[i] = 1;
  return mask;
}

/** What matching one group needs to know. `one` is the side of which a group holds one series at a moment. */
interface Work {
  readonly query: Query;
  readonly expr: Binary;
  readonly matching: Matching;
  readonly frame: Frame;
  readonly swapped: boolean;
  readonly fillMany: number | undefined;
  readonly fillOne: number | undefined;
  /** 1 where there is anything to match at all: elsewhere nobody looks for duplicates. */
  readonly live: Uint8Array;
  readonly isArithmetic: boolean;
  readonly calculate: (left: number, right: number) => number;
  readonly keeps: (left: number, right: number) => boolean;
}

function openWork(query: Query, expr: Binary, matching: Matching, frame: Frame, sides: Group): Work {
  const swapped = matching.cardinality === "one-to-many";
  const { left: fillLeft, right: fillRight } = matching.fill;
  const fills = fillLeft !== undefined || fillRight !== undefined;
  const live = new Uint8Array(frame.steps);
  const [left, right] = [presentInAny(sides.left), presentInAny(sides.right)];
  for (let i = 0; i < live.length; i++) {
    const [hasLeft, hasRight] = [left?.[i] === 1, right?.[i] === 1];
    live[i] = (fills ? hasLeft || hasRight : hasLeft && hasRight) ? 1 : 0;
  }
  const calculate = arithmetic[expr.op];
  return {
    query,
    expr,
    matching,
    frame,
    swapped,
    fillMany: swapped ? fillRight : fillLeft,
    fillOne: swapped ? fillLeft : fillRight,
    live,
    isArithmetic: calculate !== undefined,
    calculate: calculate ?? ((value) => value),
    keeps: comparisons[expr.op] ?? (() => true),
  };
}

/** The result series of one group, by their labels. */
interface Found {
  readonly draft: Draft;
  /** 1 where a pair was matched, kept or filtered away. */
  readonly used: Uint8Array;
}

function matchGroup(work: Work, group: Group, add: Visit): void {
  const { frame, live } = work;
  const [many, one] = work.swapped ? [group.right, group.left] : [group.left, group.right];
  if (many.length === 0 && (work.fillMany === undefined || one.length === 0)) {
    if (one.length > 1) indexOne(work, one);
    return;
  }
  const index = indexOne(work, one);
  const found = new Map<string, Found>();
  // One-to-one has one match at a moment, whatever the labels of the result.
  const matched = work.matching.cardinality === "one-to-one" ? new Uint8Array(frame.steps) : undefined;
  const seenMany = new Uint8Array(frame.steps);
  const sample = many[0] ?? (one[0] as Draft);
  const bareLabels = matchLabels(work.matching, sample.labels);
  for (const draft of many) {
    const targets = new Map<number, Found>();
    for (let i = 0; i < frame.steps; i++) {
      if (draft.present[i] === 0 || live[i] === 0) continue;
      seenMany[i] = 1;
      const which = index[i] as number;
      const other = which < 0 ? undefined : one[which];
      if (other === undefined && work.fillOne === undefined) continue;
      let target = targets.get(which);
      if (target === undefined) {
        target = targetOf(work, found, draft, other ?? { ...draft, labels: bareLabels });
        targets.set(which, target);
      }
      put(
        work,
        target,
        matched,
        i,
        draft.values[i] as number,
        other === undefined ? (work.fillOne ?? 0) : (other.values[i] as number),
      );
    }
  }
  if (work.fillMany !== undefined) fillUp(work, { one, index, seenMany, found, matched, bareLabels });
  for (const { draft } of found.values()) add(draft);
}

interface Filling {
  readonly one: readonly Draft[];
  readonly index: Int32Array;
  readonly seenMany: Uint8Array;
  readonly found: Map<string, Found>;
  readonly matched: Uint8Array | undefined;
  readonly bareLabels: Labels;
}

/** Moments at which only the "one" side has something to match. */
function fillUp(work: Work, { one, index, seenMany, found, matched, bareLabels }: Filling): void {
  for (const [which, other] of one.entries()) {
    for (let i = 0; i < work.frame.steps; i++) {
      if (index[i] !== which || seenMany[i] === 1 || work.live[i] === 0) continue;
      const target = targetOf(work, found, { ...other, labels: bareLabels, dropName: false }, other);
      put(work, target, matched, i, work.fillMany ?? 0, other.values[i] as number);
    }
  }
}

/** Which series of the "one" side has a value, for each step; -1 for none. Two are a Fault. */
function indexOne(work: Work, one: readonly Draft[]): Int32Array {
  const index = new Int32Array(work.frame.steps).fill(-1);
  for (const [which, { present }] of one.entries()) {
    for (let i = 0; i < present.length; i++) {
      if (present[i] === 0 || work.live[i] === 0) continue;
      const before = one[index[i] as number];
      if (before !== undefined) throw duplicates(work, before, one[which] as Draft);
      index[i] = which;
    }
  }
  return index;
}

function duplicates({ matching, swapped }: Work, a: Draft, b: Draft): Fault {
  const both = [a.labels, b.labels].sort(compareLabels).map(printLabels).join(", ");
  const group = printLabels(matchLabels(matching, a.labels));
  const words = `found duplicate series for the match group ${group} on the ${swapped ? "left" : "right"} hand-side of the operation: [${both}];many-to-many matching not allowed: matching labels must be unique on one side`;
  return new Fault("invalid", words, { hint: "Match on more labels, or aggregate that side first." });
}

function put(work: Work, target: Found, matched: Uint8Array | undefined, i: number, many: number, one: number): void {
  if (matched !== undefined) {
    if (matched[i] === 1) {
      throw new Fault(
        "invalid",
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
      );
    }
    matched[i] = 1;
  } else if (target.used[i] === 1) {
    throw new Fault("invalid", "multiple matches for labels: grouping labels must ensure unique matches");
  }
  target.used[i] = 1;
  const [left, right] = work.swapped ? [one, many] : [many, one];
  const keep = work.keeps(left, right);
  if (!keep && !work.expr.returnBool) return;
  target.draft.values[i] = work.expr.returnBool ? Number(keep) : work.calculate(left, right);
  target.draft.present[i] = 1;
}

function targetOf(work: Work, found: Map<string, Found>, many: Draft, one: Draft): Found {
  const { labels, dropName } = resultOf(work, many, one);
  const key = labelsKey(labels);
  const known = found.get(key);
  if (known !== undefined) return known;
  const draft = { ...emptyDraft(labels, work.frame), dropName };
  const target = { draft, used: new Uint8Array(work.frame.steps) };
  found.set(key, target);
  return target;
}

function resultOf(work: Work, many: Draft, one: Draft): Pick<Draft, "labels" | "dropName"> {
  const mayKeep = work.query.delayNames && !work.isArithmetic;
  return {
    labels: resultLabels(work, many.labels, one.labels),
    dropName: mayKeep && (work.expr.returnBool || many.dropName),
  };
}

function resultLabels({ query, expr, matching, isArithmetic }: Work, many: Labels, one: Labels): Labels {
  const drops = isArithmetic || (expr.returnBool && !query.delayNames);
  let labels = drops ? withoutMetadata(many) : many;
  if (matching.cardinality === "one-to-one") {
    labels = keepLabels(labels, (name) => matching.labels.includes(name) === matching.on);
  }
  for (const name of matching.include) labels = setLabel(labels, name, labelValue(one, name));
  return labels;
}
