import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useState } from "react";
import { cx } from "../view/class-names.ts";
import { CopyButton } from "../view/copy.tsx";
import { countText } from "../view/format.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { csvOf } from "./metrics-answer.ts";

/** One series as a row: its name, and a number for each column. */
export interface TableRow {
  readonly key: string;
  readonly letter: string;
  readonly name: string;
  readonly numbers: readonly number[];
  /** How the numbers are shown. */
  readonly texts: readonly string[];
  /** Every digit, for a copy. */
  readonly exact: readonly string[];
}

interface SeriesTableProps {
  readonly label: string;
  readonly rows: readonly TableRow[];
  readonly columns: readonly string[];
  readonly lettered: boolean;
}

/** As many as a person looks through; a copy has all. */
const mostShown = 500;

/** Series and their numbers, in the order of any column. */
export function SeriesTable({ label, rows, columns, lettered }: SeriesTableProps) {
  const [order, setOrder] = useState<{ readonly column: number; readonly down: boolean }>({ column: -1, down: false });
  const sorted = useMemo(() => sortRows(rows, order.column, order.down), [rows, order]);
  const csv = useMemo(
    () => csvOf([["series", ...columns], ...sorted.map(({ name, exact }) => [name, ...exact])]),
    [sorted, columns],
  );
  const shown = sorted.slice(0, mostShown);
  const head = (name: string, column: number) => (
    <SortHead
      key={name}
      {...{
        name,
        right: column >= 0,
        sorted: order.column !== column ? "none" : order.down ? "descending" : "ascending",
      }}
      onClick={() => setOrder({ column, down: order.column === column ? !order.down : column >= 0 })}
    />
  );
  return (
    <>
      <Table label={label}>
        <thead>
          <tr>
            {lettered && <HeadCell>Query</HeadCell>}
            {head("Series", -1)}
            {columns.map((name, column) => head(name, column))}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ key, letter, name, texts, exact }) => (
            <Row key={key}>
              {lettered && <Cell className="text-soft">{letter}</Cell>}
              <Cell className="min-w-48 font-mono text-small [overflow-wrap:anywhere]">{name}</Cell>
              {texts.map((text, column) => (
                <Cell key={columns[column]} title={exact[column]} className="whitespace-nowrap text-right">
                  {text}
                </Cell>
              ))}
            </Row>
          ))}
        </tbody>
      </Table>
      <div className="flex flex-wrap items-center justify-between gap-2 border-line border-t px-4 py-2 text-small text-soft">
        <span>
          {shown.length < rows.length
            ? `${shown.length} of ${rows.length.toLocaleString("en")} series shown; the copy has all.`
            : countText(rows.length, "series", "series")}
        </span>
        <CopyButton text={csv} label="Copy as CSV" word="Copy as CSV" />
      </div>
    </>
  );
}

interface SortHeadProps {
  readonly name: string;
  readonly right: boolean;
  readonly sorted: "none" | "ascending" | "descending";
  onClick(): void;
}

function SortHead({ name, right, sorted, onClick }: SortHeadProps) {
  const Arrow = sorted === "descending" ? ArrowDown : ArrowUp;
  return (
    <HeadCell aria-sort={sorted} className="p-0!">
      <button
        type="button"
        onClick={onClick}
        className={cx(
          "inline-flex min-h-9 w-full items-center gap-1 px-4 outline-offset-[-2px] hover:bg-hover hover:text-ink",
          right && "justify-end",
        )}
      >
        {name}
        {sorted !== "none" && <Arrow aria-hidden className="size-3.5" />}
      </button>
    </HeadCell>
  );
}

/** What is no number comes last. */
function sortRows(rows: readonly TableRow[], column: number, down: boolean): readonly TableRow[] {
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    if (column < 0) return sign * (a.letter + a.name).localeCompare(b.letter + b.name, "en", { numeric: true });
    const [one = Number.NaN, other = Number.NaN] = [a.numbers[column], b.numbers[column]];
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) ? (Number.isNaN(other) ? 0 : 1) : -1;
    return one === other ? 0 : sign * (one < other ? -1 : 1);
  });
}
