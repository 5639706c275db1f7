/**
 * What names a series: names and values in turn, `[name, value, name, value, …]`, sorted by name (by code units), each name
 * once, no value empty (an empty value is no label). The metric's own name is the label `__name__`. Flat, because stores
 * hold a hundred thousand of these.
 */
export type Labels = readonly string[];

export const metricName = "__name__";

/** From a record in any order; empty values are left out. */
export function labelsOf(record: Readonly<Record<string, string>>): Labels {
  return Object.keys(record)
    .filter((name) => record[name] !== "")
    .sort()
    .flatMap((name) => [name, record[name] as string]);
}

export function labelsToRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  for (let i = 0; i < labels.length; i += 2) record[labels[i] as string] = labels[i + 1] as string;
  return record;
}

/** The value of a label; "" for one that is not there, as PromQL has it. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1] as string;
  return "";
}

/** One string for each set of labels: the same for the same set, another for another one. */
export function labelsKey(labels: Labels): string {
  return labels.join("\u0000");
}
