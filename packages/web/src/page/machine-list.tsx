import { type ReactNode, useState } from "react";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { SearchInput } from "../view/field.tsx";
import { countText } from "../view/format.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { HeadCell, Table } from "../view/table.tsx";

export interface ListColumn {
  readonly word: string;
  /** Width, alignment and from which width of the screen it is shown, as classes. */
  readonly className?: string;
}

interface MachineListProps<T> {
  /** What is listed: `Units`. */
  readonly title: string;
  /** One of them: `unit`. */
  readonly one: string;
  /** Several of them, when the title is not their word. */
  readonly many?: string;
  /** In their order; undefined while they are not known. */
  readonly items: readonly T[] | undefined;
  /** Whether the hub has answered: then what is not known was not told. */
  readonly answered: boolean;
  /** What it means that there is none, and what to do when they are never told. */
  readonly none: ReactNode;
  readonly untold: ReactNode;
  readonly columns: readonly ListColumn[];
  /** What is searched of one. */
  textOf(item: T): string;
  keyOf(item: T): string;
  row(item: T): ReactNode;
  readonly actions?: ReactNode;
}

/** More are shown when somebody asks for them. */
const shownFirst = 100;
const searchedFrom = 12;

/** A list of what is on a machine, with a search when it is long. */
export function MachineList<T>(props: MachineListProps<T>) {
  const {
    title,
    one,
    many = title.toLowerCase(),
    items,
    answered,
    none,
    untold,
    columns,
    textOf,
    keyOf,
    row,
    actions,
  } = props;
  const [sought, setSought] = useState("");
  const [all, setAll] = useState(false);
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (items ?? []).filter((item) => {
    const text = words.length === 0 ? "" : textOf(item).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const counted = countText(items?.length ?? 0, one, many);
  const shown = all ? found : found.slice(0, shownFirst);
  return (
    <Card
      flush
      title={title}
      about={
        items === undefined
          ? undefined
          : found.length === items.length
            ? counted
            : `${found.length.toLocaleString("en")} of ${counted}`
      }
      actions={
        <>
          {(items ?? []).length >= searchedFrom && (
            <SearchInput label={`Search ${title.toLowerCase()}`} value={sought} onChange={setSought} />
          )}
          {actions}
        </>
      }
    >
      {items === undefined && !answered && <SkeletonRows label={`Loading ${title.toLowerCase()}`} />}
      {items === undefined && answered && <p className="p-4 text-soft">{untold}</p>}
      {items !== undefined && items.length === 0 && <p className="p-4 text-soft">{none}</p>}
      {items !== undefined && items.length > 0 && found.length === 0 && (
        <p className="p-4 text-soft">Nothing here has these words.</p>
      )}
      {shown.length > 0 && (
        <Table label={title} className="table-fixed">
          <thead>
            <tr>
              {columns.map(({ word, className }) => (
                <HeadCell key={word} className={className}>
                  {word}
                </HeadCell>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((item) => (
              <RowOf key={keyOf(item)} item={item} row={row} />
            ))}
          </tbody>
        </Table>
      )}
      {shown.length < found.length && (
        <div className="border-line border-t p-3 text-center">
          <Button onClick={() => setAll(true)}>Show all {found.length.toLocaleString("en")}</Button>
        </div>
      )}
    </Card>
  );
}

function RowOf<T>({ item, row }: { readonly item: T; row(item: T): ReactNode }) {
  return row(item);
}
