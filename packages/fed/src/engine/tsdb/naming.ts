import type { Labels } from "../series/labels.ts";
import type { LabelRows } from "./batch.ts";

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

/** Who numbers series, as `Tsdb` does. */
export interface Names {
  name(labels: Labels): number;
  unname(id: number): void;
  labelsOf(id: number): Labels;
}

/** What a naming says, for a `Batch`. */
export interface Told {
  readonly labels: LabelRows;
  readonly found: Uint32Array;
  /** To be called when the store has taken the series, or has refused them. */
  done(): void;
}

/** What holds until the other side forgets. */
interface Known {
  /** By the number that was told: the store's own; 0 for none. */
  ids: Uint32Array;
  /** Of those that the store has not, by the number that was told. */
  readonly labels: Map<number, Labels>;
  /** Batches under way. */
  users: number;
  forgotten: boolean;
}

const nothingKnown = (): Known => ({ ids: new Uint32Array(64), labels: new Map(), users: 0, forgotten: false });

/** The other side of `makeNamer`. */
export function makeNamed(names: Names): { readonly read: (naming: Naming) => Told; readonly close: () => void } {
  let known = nothingKnown();
  const lists = new Map<number, Uint32Array>();

  function forgetAll(): void {
    known.forgotten = true;
    if (known.users === 0) release(known);
    known = nothingKnown();
  }

  function release({ ids }: Known): void {
    for (const id of ids) if (id > 0) names.unname(id);
  }

  /** Of the numbers that were not known, those that the store has by now; also of series that it refused when they were named. */
  function learn(all: Known, rows: Uint32Array, found: Uint32Array): void {
    for (const [row, number] of rows.entries()) {
      if (found[row] !== 0) continue;
      const labels = all.labels.get(number);
      const id = labels === undefined ? 0 : names.name(labels);
      if (id === 0) continue;
      all.labels.delete(number);
      all.ids[number] = id;
    }
  }

  function read({ forget, named, list, rows: told }: Naming): Told {
    if (forget === "all") forgetAll();
    if (forget !== "nothing") lists.clear();
    const all = known;
    const last = named.at(-1)?.[0] ?? 0;
    if (last >= all.ids.length) {
      const ids = new Uint32Array(Math.max(last + 1, all.ids.length + (all.ids.length >> 1)));
      ids.set(all.ids);
      all.ids = ids;
    }
    for (const [number, labels] of named) all.labels.set(number, labels);
    if (list > 0 && told !== undefined) lists.set(list, told);
    const rows = told ?? lists.get(list) ?? new Uint32Array(0);
    const found = new Uint32Array(rows.length);
    for (let row = 0; row < rows.length; row++) found[row] = all.ids[rows[row] as number] as number;
    all.users++;
    return {
      labels: labelRows(names, all, rows),
      found,
      done() {
        learn(all, rows, found);
        if (--all.users === 0 && all.forgotten) release(all);
      },
    };
  }

  return { read, close: forgetAll };
}

/** Makes labels when they are asked for; the same ones for the same series. */
function labelRows(names: Names, known: Known, rows: Uint32Array): LabelRows {
  const made = new Map<number, Labels>();
  return {
    length: rows.length,
    at(row) {
      const number = rows[row] as number;
      const there = known.labels.get(number) ?? made.get(number);
      if (there !== undefined) return there;
      const id = known.ids[number] as number;
      const labels = id > 0 ? names.labelsOf(id) : [];
      made.set(number, labels);
      return labels;
    },
  };
}
