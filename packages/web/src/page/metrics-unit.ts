import type { Aggregation, Binary, Call, Expr } from "@fed/fed/engine/promql/ast.ts";
import { parse } from "@fed/fed/engine/promql/parse.ts";
import { durationText } from "../view/format.ts";

/** What the values of a query are measured in, as far as the names of its metrics say. Pure. */
export interface Unit {
  readonly kind: "number" | "bytes" | "seconds" | "ratio" | "percent" | "celsius";
  readonly perSecond: boolean;
}

const plain: Unit = { kind: "number", perSecond: false };
const of = (kind: Unit["kind"]): Unit => ({ kind, perSecond: false });

export function unitOf(query: string): Unit {
  try {
    return unitOfExpr(parse(query));
  } catch {
    return plain;
  }
}

function unitOfExpr(expr: Expr): Unit {
  switch (expr.kind) {
    case "vector":
      return unitOfName(expr.name ?? "");
    case "matrix":
      return unitOfName(expr.selector.name ?? "");
    case "subquery":
    case "unary":
    case "paren":
      return unitOfExpr(expr.expr);
    case "aggregation":
      return unitOfAggregation(expr);
    case "call":
      return unitOfCall(expr);
    case "binary":
      return unitOfBinary(expr);
    case "number":
    case "string":
      return plain;
  }
}

function unitOfName(name: string): Unit {
  const base = name.replace(/_(total|sum|bucket|created)$/, "");
  if (/_(timestamp|time)_seconds$/.test(base)) return plain;
  if (/_bytes$/.test(base)) return of("bytes");
  if (/_seconds$/.test(base)) return of("seconds");
  if (/_ratio$/.test(base)) return of("ratio");
  if (/_celsius$/.test(base)) return of("celsius");
  return /_percent$/.test(base) ? of("percent") : plain;
}

function unitOfAggregation({ op, expr }: Aggregation): Unit {
  return /^(count|count_values|group|stdvar)$/.test(op) ? plain : unitOfExpr(expr);
}

const counting = /^(count|changes|resets|present|absent|stdvar)(_over_time)?$/;
const keeping =
  /_over_time$|^(increase|delta|idelta|predict_linear|abs|ceil|floor|round|clamp|clamp_min|clamp_max|sort|sort_desc|scalar|label_replace|label_join)$/;

function unitOfCall({ func, args }: Call): Unit {
  const about = args.find((one) => one.kind !== "number" && one.kind !== "string");
  if (about === undefined || counting.test(func)) return plain;
  if (/^(rate|irate|deriv)$/.test(func)) return perSecond(unitOfExpr(about));
  // Buckets count, but their bounds are measured as the name says.
  if (func === "histogram_quantile") return unitOfName(/\w+_bucket/.exec(namesOf(about))?.[0] ?? "");
  return keeping.test(func) ? unitOfExpr(about) : plain;
}

function namesOf(expr: Expr): string {
  switch (expr.kind) {
    case "vector":
      return expr.name ?? "";
    case "matrix":
      return expr.selector.name ?? "";
    case "call":
      return expr.args.map(namesOf).join(" ");
    case "binary":
      return `${namesOf(expr.left)} ${namesOf(expr.right)}`;
    case "number":
    case "string":
      return "";
    default:
      return namesOf(expr.expr);
  }
}

/** Seconds per second have no unit. */
function perSecond({ kind }: Unit): Unit {
  if (kind === "seconds") return plain;
  return kind === "number" || kind === "bytes" ? { kind, perSecond: true } : of(kind);
}

function unitOfBinary({ op, left, right, returnBool }: Binary): Unit {
  const [one, other] = [unitOfExpr(left), unitOfExpr(right)];
  const same = one.kind === other.kind && one.perSecond === other.perSecond;
  if (returnBool) return plain;
  if (/^(==|!=|<|>|<=|>=|and|unless)$/.test(op)) return one;
  if (op === "+" || op === "-" || op === "or" || op === "%") {
    if (right.kind === "number") return one;
    return left.kind === "number" ? other : same ? one : plain;
  }
  const hundred = (expr: Expr) => expr.kind === "number" && expr.value === 100;
  const isRatio = op === "*" && ((one.kind === "ratio" && hundred(right)) || (other.kind === "ratio" && hundred(left)));
  return isRatio ? of("percent") : plain;
}

/** One unit for one axis: what all have in common. */
export function commonUnit(units: readonly Unit[]): Unit {
  const [first = plain, ...rest] = units;
  return rest.every(({ kind, perSecond: per }) => kind === first.kind && per === first.perSecond) ? first : plain;
}

/** A value as people read it: `1.5 MiB/s`, `340 ms`, `12.5%`, `1.2 M`. */
export function valueText(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const per = unit.perSecond ? "/s" : "";
  switch (unit.kind) {
    case "bytes":
      return bytesText(value) + per;
    case "seconds":
      return Math.abs(value) < 1e-6 && value !== 0 ? `${numberText(value)} s` : durationText(value * 1_000);
    case "ratio":
      return `${numberText(value * 100)}%`;
    case "percent":
      return `${numberText(value)}%`;
    case "celsius":
      return `${numberText(value)} °C`;
    case "number":
      return numberText(value) + per;
  }
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Finer than `view/format.ts` has it: values are compared here. */
function bytesText(bytes: number): string {
  const power = Math.max(0, Math.min(byteUnits.length - 1, Math.floor(Math.log2(Math.abs(bytes)) / 10)));
  return bytes === 0 ? "0 B" : `${numberText(bytes / 1_024 ** power)} ${byteUnits[power]}`;
}

const sizes = [
  [1e12, " T"],
  [1e9, " G"],
  [1e6, " M"],
] as const;

/** Four digits that count: `0.01234`, `12.34`, `12,345`, `1.235 M`. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(2).replace("e+", "e");
  const [divisor, word] = sizes.find(([least]) => size >= least) ?? [1, ""];
  const short = Number((value / divisor).toPrecision(size >= 1_000 && size < 1e6 ? 6 : 4));
  return short.toLocaleString("en", { maximumFractionDigits: 8 }) + word;
}
