import type { ValueType } from "./ast.ts";

/** What a function takes and yields. */
export interface Signature {
  readonly args: readonly ValueType[];
  /** The last argument may be left out, or stand any number of times, none too. */
  readonly last?: "optional" | "repeated";
  readonly result: ValueType;
}

const instant: Signature = { args: ["vector"], result: "vector" };
const overTime: Signature = { args: ["matrix"], result: "vector" };
/** Of the evaluation's own time when nothing is given. */
const calendar: Signature = { args: ["vector"], last: "optional", result: "vector" };
const constant: Signature = { args: [], result: "scalar" };

/** All functions of Prometheus 3 that are not experimental. */
export const functions = {
  abs: instant,
  absent: instant,
  absent_over_time: overTime,
  acos: instant,
  acosh: instant,
  asin: instant,
  asinh: instant,
  atan: instant,
  atanh: instant,
  avg_over_time: overTime,
  ceil: instant,
  changes: overTime,
  clamp: { args: ["vector", "scalar", "scalar"], result: "vector" },
  clamp_max: { args: ["vector", "scalar"], result: "vector" },
  clamp_min: { args: ["vector", "scalar"], result: "vector" },
  cos: instant,
  cosh: instant,
  count_over_time: overTime,
  day_of_month: calendar,
  day_of_week: calendar,
  day_of_year: calendar,
  days_in_month: calendar,
  deg: instant,
  delta: overTime,
  deriv: overTime,
  exp: instant,
  floor: instant,
  histogram_avg: instant,
  histogram_count: instant,
  histogram_fraction: { args: ["scalar", "scalar", "vector"], result: "vector" },
  histogram_quantile: { args: ["scalar", "vector"], result: "vector" },
  histogram_stddev: instant,
  histogram_stdvar: instant,
  histogram_sum: instant,
  hour: calendar,
  idelta: overTime,
  increase: overTime,
  irate: overTime,
  label_join: { args: ["vector", "string", "string", "string"], last: "repeated", result: "vector" },
  label_replace: { args: ["vector", "string", "string", "string", "string"], result: "vector" },
  last_over_time: overTime,
  ln: instant,
  log10: instant,
  log2: instant,
  max_over_time: overTime,
  min_over_time: overTime,
  minute: calendar,
  month: calendar,
  pi: constant,
  predict_linear: { args: ["matrix", "scalar"], result: "vector" },
  present_over_time: overTime,
  quantile_over_time: { args: ["scalar", "matrix"], result: "vector" },
  rad: instant,
  rate: overTime,
  resets: overTime,
  round: { args: ["vector", "scalar"], last: "optional", result: "vector" },
  scalar: { args: ["vector"], result: "scalar" },
  sgn: instant,
  sin: instant,
  sinh: instant,
  sort: instant,
  sort_desc: instant,
  sqrt: instant,
  stddev_over_time: overTime,
  stdvar_over_time: overTime,
  sum_over_time: overTime,
  tan: instant,
  tanh: instant,
  time: constant,
  timestamp: instant,
  vector: { args: ["scalar"], result: "vector" },
  year: calendar,
} as const satisfies Record<string, Signature>;

export type FunctionName = keyof typeof functions;

/** Functions and aggregations that Prometheus holds back behind a flag: known, so that a message can say so. */
export const experimentalNames: ReadonlySet<string> = new Set([
  "double_exponential_smoothing",
  "end",
  "first_over_time",
  "histogram_quantiles",
  "info",
  "integral",
  "limit_ratio",
  "limitk",
  "mad_over_time",
  "max_of",
  "min_of",
  "range",
  "sort_by_label",
  "sort_by_label_desc",
  "start",
  "step",
  "ts_of_first_over_time",
  "ts_of_last_over_time",
  "ts_of_max_over_time",
  "ts_of_min_over_time",
]);

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(functions, name);
}

export function signatureOf(name: FunctionName): Signature {
  return functions[name];
}

/** How many arguments a function takes at least and at most. */
export function argumentCount(signature: Signature): { min: number; max: number } {
  const all = signature.args.length;
  if (signature.last === undefined) return { min: all, max: all };
  return { min: all - 1, max: signature.last === "optional" ? all : Number.POSITIVE_INFINITY };
}

/** A signature as people read it: `round(instant vector, [scalar])`. */
export function printSignature(name: FunctionName): string {
  const { args, last } = signatureOf(name);
  const words = args.map((type, i) => {
    const isLast = i === args.length - 1;
    if (!isLast || last === undefined) return typeNames[type];
    return last === "optional" ? `[${typeNames[type]}]` : `${typeNames[type]}…`;
  });
  return `${name}(${words.join(", ")})`;
}

export const typeNames: Readonly<Record<ValueType, string>> = {
  scalar: "scalar",
  vector: "instant vector",
  matrix: "range vector",
  string: "string",
};
