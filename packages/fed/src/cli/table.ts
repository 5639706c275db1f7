import { fit, visibleInLine, widthOf } from "./text.ts";

/** Tables as data, laid out into lines of spans. Colour is the screen's business. */

/** What a word means; the screen knows the colour. */
export type Style = "good" | "bad" | "warn" | "dim" | "strong" | "accent";

export type Span = string | { readonly text: string; readonly style?: Style | undefined };

interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly align?: "left" | "right";
  /** Changes all the time (an age, a rate): not a change worth a line when a live table goes to a pipe. */
  readonly quiet?: boolean;
  /** How it reads on a line of its own, where no title stands above it; "" leaves it out. */
  said?(text: string): string;
}

export interface Table {
  readonly columns: readonly Column[];
  /** A cell per column. The first cell names the row in a live table. */
  readonly rows: readonly (readonly Span[])[];
}

export function spanText(span: Span): string {
  return typeof span === "string" ? span : span.text;
}

const gap = 2;

/** The lines of a table, heading first, each at most `maxColumns` wide (never cut when left out). */
export function layOut(table: Table, maxColumns?: number): readonly (readonly Span[])[] {
  const heading: readonly Span[] = table.columns.map((column) => ({ text: column.title, style: "dim" }));
  const lines = [heading, ...table.rows].map((row) =>
    table.columns.map((_, index) => {
      const span = row[index] ?? "";
      return { text: visibleInLine(spanText(span)), style: typeof span === "string" ? undefined : span.style };
    }),
  );
  const widths = table.columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index]?.text ?? ""))));
  if (maxColumns !== undefined) shrink(widths, maxColumns - gap * (widths.length - 1));
  return lines.map((line) =>
    line.flatMap((cell, index) => {
      const width = widths[index] ?? 0;
      const text = fit(cell.text, width);
      const padding = " ".repeat(width - widthOf(text));
      const last = index === line.length - 1;
      const styled: Span = { text, style: cell.style };
      if (table.columns[index]?.align === "right") return [padding, styled, last ? "" : " ".repeat(gap)];
      return [styled, last ? "" : padding + " ".repeat(gap)];
    }),
  );
}

/** Takes from the widest column until all fit. */
function shrink(widths: number[], room: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - room; excess > 0; excess--) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= 1) return;
    widths[widest] = width - 1;
  }
}
