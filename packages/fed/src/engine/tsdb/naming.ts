import type { Labels } from "../series/labels.ts";
import type { HeadSeries } from "./head.ts";

/** The series of a batch's rows, as another thread is told them. Each is told after all that were made before it. */
export interface Naming {
  /** What was told before and holds no more. */
  readonly forget: "nothing" | "lists" | "all";
  /** Series by a number that both sides know them by from now on. */
  readonly named: readonly (readonly [number: number, labels: Labels])[];
  /** The number that these rows are known by from now on; 0 for none. */
  readonly list: number;
  /** Undefined: those of the list. */
  readonly rows: Uint32Array | undefined;
}

/** When so many series have been named, or stand in lists, both sides begin anew. */
const mostNamed = 200_000;
/** Or with so many letters: what the store refuses for its length is known here all the same. */
const mostLetters = 64 * 1024 * 1024;

interface SentList {
  readonly labels: readonly Labels[];
  /** 0 until the list comes again. */
  number: number;
}

/**
 * Who scrapes sends the same series in the same order again and again, so a list that comes for the second time gets a number, by
 * which all of its rows are named at once.
 */
export function makeNamer(most = mostNamed, letters = mostLetters): (labels: readonly Labels[]) => Naming {
  let numbers = new WeakMap<Labels, number>();
  /** By their first series. */
  let lists = new WeakMap<Labels, SentList>();
  let [named, namedLetters, listed, listNumber] = [0, 0, 0, 0];
  let forget: Naming["forget"] = "nothing";

  function forgetLists(): void {
    lists = new WeakMap();
    listed = 0;
    if (forget === "nothing") forget = "lists";
  }

  /** The list as it came before; undefined when it was another. */
  function findList(labels: readonly Labels[]): SentList | undefined {
    const [first] = labels;
    if (first === undefined || labels.length > most) return undefined;
    const before = lists.get(first);
    if (before !== undefined && isSame(before.labels, labels)) return before;
    if (listed + labels.length > most) forgetLists();
    listed += labels.length;
    // A copy: whoever sent it may change his.
    lists.set(first, { labels: labels.slice(), number: 0 });
    return undefined;
  }

  function numberRows(labels: readonly Labels[], added: [number, Labels][]): Uint32Array {
    // By hand: `Uint32Array.from` takes several times as long.
    const rows = new Uint32Array(labels.length);
    for (let row = 0; row < rows.length; row++) {
      const one = labels[row] as Labels;
      let number = numbers.get(one);
      if (number === undefined) {
        number = ++named;
        numbers.set(one, number);
        added.push([number, one]);
        for (const text of one) namedLetters += text.length;
      }
      rows[row] = number;
    }
    return rows;
  }

  return (labels) => {
    if (named > most || namedLetters > letters) {
      numbers = new WeakMap();
      [named, namedLetters] = [0, 0];
      forget = "all";
      forgetLists();
    }
    const list = findList(labels);
    const known = list !== undefined && list.number > 0;
    if (list !== undefined && !known) list.number = ++listNumber;
    const added: [number, Labels][] = [];
    const rows = known ? undefined : numberRows(labels, added);
    const naming = { forget, named: added, list: list?.number ?? 0, rows };
    forget = "nothing";
    return naming;
  };
}

function isSame(some: readonly Labels[], others: readonly Labels[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

interface ToldList {
  readonly rows: Uint32Array;
  /** Undefined until the store has its own arrays of them. */
  labels: readonly Labels[] | undefined;
  readonly found: (HeadSeries | undefined)[];
}

/** What a naming says. */
export interface Told {
  readonly labels: readonly Labels[];
  /** For `Batch.found`. */
  readonly found: (HeadSeries | undefined)[] | undefined;
  /** To be called when the store has taken the series: `own` is its own array of the same labels. */
  keep(own: (labels: Labels) => Labels): void;
}

/** The other side of `makeNamer`. */
export function makeNamed(): (naming: Naming) => Told {
  const known = new Map<number, Labels>();
  const lists = new Map<number, ToldList>();

  function labelsOfRows(rows: Uint32Array): Labels[] {
    const labels: Labels[] = [];
    for (const number of rows) labels.push(known.get(number) ?? []);
    return labels;
  }

  return ({ forget, named, list: number, rows }) => {
    if (forget === "all") known.clear();
    if (forget !== "nothing") lists.clear();
    for (const [at, labels] of named) known.set(at, labels);
    if (number > 0 && rows !== undefined) lists.set(number, { rows, labels: undefined, found: [] });
    const list = lists.get(number);
    const labels = list?.labels ?? labelsOfRows(rows ?? list?.rows ?? new Uint32Array(0));
    return {
      labels,
      found: list?.found,
      keep(own) {
        // What came is a copy of its own, texts and all.
        for (const [at, copy] of named) known.set(at, own(copy));
        // Those of its rows that a batch under way has named are copies still.
        if (list !== undefined && list.labels === undefined) list.labels = labels.map(own);
      },
    };
  };
}
