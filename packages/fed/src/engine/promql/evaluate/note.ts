import type { Span } from "../ast.ts";
import { placeOf } from "../problem.ts";

/** Warnings and infos that come up while a query is evaluated, each once. */
export interface Notes {
  warn(words: string, span: Span): void;
  info(words: string, span: Span): void;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export function openNotes(text: string | undefined): Notes {
  const [warnings, infos] = [new Set<string>(), new Set<string>()];
  const place = ({ start }: Span) => {
    if (text === undefined) return "";
    const { line, column } = placeOf(text, start);
    return ` (${line}:${column})`;
  };
  return {
    warn: (words, span) => void warnings.add(`PromQL warning: ${words}${place(span)}`),
    info: (words, span) => void infos.add(`PromQL info: ${words}${place(span)}`),
    get warnings() {
      return [...warnings].sort();
    },
    get infos() {
      return [...infos].sort();
    },
  };
}

/** A warning when a quantile is none. */
export function checkQuantile(notes: Notes, quantile: number, span: Span): void {
  if (quantile >= 0 && quantile <= 1) return;
  notes.warn(`quantile value should be between 0 and 1, got ${formatShort(quantile)}`, span);
}

/** A number as Prometheus prints it in messages: `1.5`, `1e+06`, `+Inf`. */
export function formatShort(value: number): string {
  const [digits, exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (!Number.isFinite(value) || value === 0 || (power >= -4 && power < 6)) return formatPlain(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** All digits, never an exponent: `1000000000000000000000`, `0.0000001`. */
export function formatPlain(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  const [, sign = "", whole = "", fraction = "", exponent = ""] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (exponent === "") return text;
  const [digits, point] = [whole + fraction, whole.length + Number(exponent)];
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0")}`;
}
