import { styleText } from "node:util";
import { toFault } from "#base/fault.ts";
import type { TerminalEnv } from "./env.ts";
import { faultData, faultLines } from "./fault-text.ts";
import { layOut, type Span, type Style, spanText, type Table } from "./table.ts";
import { jsonLine, visible, visibleInLine } from "./text.ts";

export type { Span, Style, Table } from "./table.ts";

/** Where a screen writes: process.stdout, or a list in tests. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/**
 * What people see. Text handed to a screen is never trusted: escape sequences are taken out and control characters
 * written out; colours are asked for by meaning (`{ text: "running", style: "good" }`).
 */
export interface Screen {
  /** `--json`: results go through `data` only; `line`, `table` and `live` are for people and print nothing. */
  readonly json: boolean;
  /** stdout is a terminal. */
  readonly isTerminal: boolean;
  /** How wide a line may be; 80 where nobody says. */
  columns(): number;
  /** One line of the result, on stdout. */
  line(...spans: Span[]): void;
  /** Progress, warnings and hints, on stderr, so that a pipe gets results only. Printed with `--json` too. */
  note(...spans: Span[]): void;
  /** A result as data: one line of JSON on stdout, in every mode. */
  data(value: unknown): void;
  /** What went wrong and what to do next, on stderr; with `--json` as one line of problem data. `debug` adds where it comes from. */
  fault(thrown: unknown, debug: boolean): void;
  /** Output of others (a log, a document): as it is into a pipe, harmless on a terminal. Brings its own newlines. */
  verbatim(text: string): void;
  table(table: Table): void;
  /** A table that is redrawn in place on a terminal, below everything printed meanwhile; into a pipe, a line per change. */
  live(): Live;
}

interface Live {
  show(table: Table): void;
  /** Leaves the last table standing. */
  end(): void;
}

const formats: Record<Style, Parameters<typeof styleText>[0]> = {
  good: "green",
  bad: "red",
  warn: "yellow",
  dim: "dim",
  strong: "bold",
  accent: "cyan",
};

const eraseBelow = "\x1b[J";

export function openScreen(out: Sink, err: Sink, terminal: TerminalEnv, json: boolean): Screen {
  const isTerminal = out.isTTY === true;
  const canMove = isTerminal && !terminal.dumb;
  const columns = () => out.columns || terminal.columns || 80;
  /** The lines of the live table that stand on the terminal now. */
  let region: readonly string[] = [];

  const colored = (sink: Sink) =>
    terminal.color === "always" || (terminal.color === "auto" && sink.isTTY === true && !terminal.dumb);
  const paint = (sink: Sink, spans: readonly Span[]) => {
    const color = colored(sink);
    return spans.map((span) => paintSpan(span, color)).join("");
  };
  /** Writes above the live table, if there is one. */
  const emit = (sink: Sink, text: string) => {
    if (region.length === 0 || sink.isTTY !== true) return void sink.write(text);
    out.write(rise(region.length) + eraseBelow);
    sink.write(text.endsWith("\n") ? text : `${text}\n`);
    out.write(region.join(""));
  };
  const draw = (lines: readonly string[]) => {
    out.write(rise(region.length) + eraseBelow + lines.join(""));
    region = lines;
  };
  const tableLines = (table: Table) =>
    layOut(table, isTerminal ? columns() : undefined).map((line) => paint(out, trimEnd(line)));

  return {
    json,
    isTerminal,
    columns,
    line(...spans) {
      if (!json) emit(out, `${paint(out, spans)}\n`);
    },
    note(...spans) {
      emit(err, `${paint(err, spans)}\n`);
    },
    data(value) {
      emit(out, `${jsonLine(value)}\n`);
    },
    fault(thrown, debug) {
      const fault = toFault(thrown);
      if (json) emit(err, `${jsonLine(faultData(fault, debug))}\n`);
      else for (const line of faultLines(fault, debug)) emit(err, `${paint(err, line)}\n`);
    },
    verbatim(text) {
      emit(out, isTerminal ? visible(text) : text);
    },
    table(table) {
      if (!json) for (const line of tableLines(table)) emit(out, `${line}\n`);
    },
    live() {
      if (json) return { show() {}, end() {} };
      if (!canMove) return changesOf((text) => out.write(`${text}\n`));
      return {
        show: (table) => draw(clip(tableLines(table), out.rows || 24).map((line) => `${line}\n`)),
        end() {
          region = [];
        },
      };
    },
  };
}

function paintSpan(span: Span, color: boolean): string {
  const text = visible(spanText(span));
  if (!color || typeof span === "string" || span.style === undefined || text === "") return text;
  return styleText(formats[span.style], text, { validateStream: false });
}

function rise(lines: number): string {
  return lines === 0 ? "" : `\r\x1b[${lines}A`;
}

/** A table higher than the terminal could not be redrawn: its end is told as a count. */
function clip(lines: readonly string[], rows: number): readonly string[] {
  const most = Math.max(2, rows - 1);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more`];
}

function trimEnd(line: readonly Span[]): readonly Span[] {
  const last = line.findLastIndex((span) => spanText(span).trim() !== "");
  return line.slice(0, last + 1);
}

/** A live table for a pipe: a line for each row that is new, changed or gone. */
function changesOf(write: (text: string) => void): Live {
  let before = new Map<string, string>();
  return {
    show(table) {
      const now = new Map<string, string>();
      for (const row of table.rows) {
        const cells = row.map((cell) => visibleInLine(spanText(cell)));
        const loud = cells.map((cell, index) => {
          const column = table.columns[index];
          return column?.quiet === true ? "" : (column?.said?.(cell) ?? cell);
        });
        now.set(cells[0] ?? "", loud.filter((cell) => cell !== "").join("  "));
      }
      for (const [name, text] of now) if (before.get(name) !== text) write(text);
      for (const name of before.keys()) if (!now.has(name)) write(`${name}  gone`);
      before = now;
    },
    end() {},
  };
}
