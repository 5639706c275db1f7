import { Fault } from "#base/fault.ts";
import { labelValue, metricName } from "../../series/labels.ts";
import { compilePattern, type Pattern } from "../../series/pattern.ts";
import type { Call } from "../ast.ts";
import { quote } from "../quote.ts";
import { setLabel, streamMerged } from "./name.ts";
import { bare, type Draft, type Frame, type Query, type Visit } from "./query.ts";

/** `label_replace(v, to, replacement, from, expression)`. */
export async function streamReplaced(query: Query, call: Call, frame: Frame, visit: Visit): Promise<void> {
  const [to, replacement, from, text] = [1, 2, 3, 4].map((i) => textOf(call, i)) as [string, string, string, string];
  const pattern = patternOf(text);
  checkName(to, `invalid destination label name in label_replace(): ${to}`);
  await streamRelabelled(query, call, frame, visit, (draft) => {
    const groups = pattern.groups(labelValue(draft.labels, from));
    if (groups !== undefined) relabel(draft, to, expand(replacement, groups, pattern));
  });
}

/** `label_join(v, to, separator, from…)`. */
export async function streamJoined(query: Query, call: Call, frame: Frame, visit: Visit): Promise<void> {
  const [to, separator] = [textOf(call, 1), textOf(call, 2)];
  const sources = call.args.slice(3).map((_, i) => textOf(call, i + 3));
  for (const source of sources) checkName(source, `invalid source label name in label_join(): ${source}`);
  checkName(to, `invalid destination label name in label_join(): ${to}`);
  await streamRelabelled(query, call, frame, visit, (draft) => {
    relabel(draft, to, sources.map((source) => labelValue(draft.labels, source)).join(separator));
  });
}

async function streamRelabelled(query: Query, call: Call, frame: Frame, visit: Visit, change: Visit): Promise<void> {
  const source = (take: Visit) =>
    query.stream(call.args[0] as Call, frame, (draft) => {
      change(draft);
      take(draft);
    });
  await streamMerged(query, frame, false, source, visit);
}

function relabel(draft: Draft, name: string, value: string): void {
  draft.labels = setLabel(draft.labels, name, value);
  if (name === metricName) draft.dropName = false;
}

function patternOf(text: string): Pattern {
  try {
    return compilePattern(text);
  } catch (thrown) {
    const words = `invalid regular expression in label_replace(): ${text}`;
    throw new Fault("invalid", words, { hint: thrown instanceof Fault ? thrown.message : undefined, cause: thrown });
  }
}

/** A label's name may hold any letters, but there must be some and they must be letters. */
export function isLabelName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !name.includes("\uFFFD");
}

function checkName(name: string, words: string): void {
  if (!isLabelName(name)) throw new Fault("invalid", words, { hint: `${quote(name)} cannot be the name of a label.` });
}

function textOf(call: Call, index: number): string {
  const arg = bare(call.args[index] as Call);
  if (arg.kind !== "string") throw new Fault("internal", `argument ${index} of ${call.func} is no string`);
  return arg.value;
}

/** Go's templates: `$1`, `${1}`, `$name`, `${name}`, `$$`; an unknown group is empty, a lone `$` stays. */
function expand(template: string, groups: readonly (string | undefined)[], { names }: Pattern): string {
  return template.replaceAll(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (whole, braced, plain) => {
    if (whole === "$$") return "$";
    const name: string = braced ?? plain;
    const index = /^\d+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? (names[name] ?? -1) : -1;
    return groups[index] ?? "";
  });
}
