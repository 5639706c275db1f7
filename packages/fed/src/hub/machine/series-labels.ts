import { type Labels, labelValue, metricName } from "#engine/series/labels.ts";

/** What a machine says in a label's value is no longer than this; the store takes none of 4,096 letters. */
const longestValue = 1_024;
const separator = "\u0000";
/** Labels as they are told. */
export type Given = Readonly<Record<string, string>> | undefined;

/** What each series has: its name and whose it is. */
const ownNames = ["machine", "job", "instance", metricName];

/** Whether this is told of the series; "no", too, of what has to be changed on its way into labels. */
export function isSeries(labels: Labels, metric: string, given: Given): boolean {
  if (labelValue(labels, metricName) !== metric) return false;
  let count = ownNames.length;
  for (const name in given) {
    if (ownNames.includes(name)) return false;
    const value = given[name];
    if (value === "") continue;
    if (value !== labelValue(labels, name)) return false;
    count++;
  }
  return labels.length === 2 * count;
}

const isName = (text: string) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text);

/** A machine cannot name itself: what it says of that is renamed, as Prometheus does. `own`: whose it is. Undefined when it has no good name. */
export function labelsIn(own: Labels, metric: string, given: Given): Labels | undefined {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric)) return undefined;
  const labels = [...own];
  put(labels, metricName, metric);
  for (const name in given) {
    if (!isName(name) || name.startsWith("__")) continue;
    const short = (given[name] ?? "").slice(0, longestValue);
    const plain = short.includes(separator) ? short.replaceAll(separator, " ") : short;
    put(labels, labelValue(own, name) === "" ? name : `exported_${name}`, plain.toWellFormed());
  }
  return labels;
}

/** At its place by its name; by hand, because who tells many new ones is to cost little. */
function put(labels: string[], name: string, value: string): void {
  let at = labels.length;
  while (at > 0 && (labels[at - 2] ?? "") > name) at -= 2;
  const there = labels[at - 2] === name;
  labels.splice(there ? at - 2 : at, there ? 2 : 0, ...(value === "" ? [] : [name, value]));
}
