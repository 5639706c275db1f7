import type { Labels } from "../series/labels.ts";
import { compileMatcher, type Matcher, onlyValues } from "../series/matcher.ts";
import { addId, type IdList, idsIn, joinIds } from "./id-list.ts";
import { addLabels, idsPerPage, isNamed, type LabelPage, labelPage, shrinkPage, startOf } from "./label-page.ts";
import { keepSymbols, ranksOf, type Symbols, symbolOf, symbolsOf } from "./symbol.ts";

/**
 * The names of all series that the store knows, each with a number of its own, and for each label which series have it. Numbers
 * grow from 1 and are never given twice, so every list of them is ascending. Who keeps samples of a series holds its number.
 */
export interface Postings {
  readonly symbols: Symbols;
  /** By a series' number: which page has its labels. */
  readonly pages: Map<number, LabelPage>;
  readonly byName: Map<string, Map<string, IdList>>;
  /** Numbers by the hash of their symbols, in the next free place of a ring; 0 where none is. */
  ring: Uint32Array;
  next: number;
  /** Series with labels. */
  size: number;
  /** Numbers in lists and in the ring of series that are gone; swept when they are many. */
  dead: number;
}

export function postingsOf(): Postings {
  return {
    symbols: symbolsOf(),
    pages: new Map(),
    byName: new Map(),
    ring: new Uint32Array(1024),
    next: 1,
    size: 0,
    dead: 0,
  };
}

let wanted = new Uint32Array(128);

/** The series' number; 0 when it has none. */
export function idOf({ symbols, pages, ring }: Postings, labels: Labels): number {
  const count = labels.length;
  if (count > wanted.length) wanted = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const symbol = symbols.numbers.get(labels[i] as string);
    if (symbol === undefined) return 0;
    wanted[i] = symbol;
  }
  for (let at = hashOf(wanted, 0, count); ; at++) {
    const id = ring[at & (ring.length - 1)] as number;
    if (id === 0) return 0;
    const page = pages.get(Math.floor(id / idsPerPage));
    const nth = id % idsPerPage;
    if (page === undefined || !isNamed(page, nth)) continue;
    const start = startOf(page, nth);
    if ((page.ends[nth] as number) - start !== count) continue;
    let same = 0;
    while (same < count && page.symbols[start + same] === wanted[same]) same++;
    if (same === count) return id;
  }
}

function hashOf(symbols: Uint32Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (symbols[i] as number), 0x01000193) ^ (hash >>> 15);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** The series' number, made when it has none, and held until `release`. */
export function hold(postings: Postings, labels: Labels): number {
  const id = idOf(postings, labels) || addSeries(postings, labels);
  const { holders } = pageOf(postings, id);
  holders[id % idsPerPage] = (holders[id % idsPerPage] as number) + 1;
  return id;
}

export function release(postings: Postings, id: number): void {
  letGo(postings, id, "holders");
}

/** The series' number, whose labels stay known until `unname`; 0 when it has none. */
export function name(postings: Postings, labels: Labels): number {
  const id = idOf(postings, labels);
  if (id === 0) return 0;
  const { namers } = pageOf(postings, id);
  namers[id % idsPerPage] = (namers[id % idsPerPage] as number) + 1;
  return id;
}

export function unname(postings: Postings, id: number): void {
  letGo(postings, id, "namers");
}

function letGo(postings: Postings, id: number, who: "holders" | "namers"): void {
  const page = postings.pages.get(Math.floor(id / idsPerPage));
  const nth = id % idsPerPage;
  if (page === undefined || page[who][nth] === 0) return;
  page[who][nth] = (page[who][nth] as number) - 1;
  if (isNamed(page, nth)) return;
  postings.size--;
  postings.dead++;
  if (--page.count === 0 && postings.next >= (Math.floor(id / idsPerPage) + 1) * idsPerPage) {
    postings.pages.delete(Math.floor(id / idsPerPage));
  }
  if (postings.dead > 1000 && postings.dead > postings.size / 2) sweep(postings);
}

/** Whether somebody keeps samples of it. */
export function isHeld({ pages }: Postings, id: number): boolean {
  return (pages.get(Math.floor(id / idsPerPage))?.holders[id % idsPerPage] ?? 0) > 0;
}

export function labelsOfId(postings: Postings, id: number): Labels {
  const page = pageOf(postings, id);
  const start = startOf(page, id % idsPerPage);
  const labels = new Array<string>((page.ends[id % idsPerPage] as number) - start);
  for (let i = 0; i < labels.length; i++) {
    labels[i] = postings.symbols.texts[page.symbols[start + i] as number] as string;
  }
  return labels;
}

/** The same labels with the store's own texts: for who holds many. */
export function intern({ symbols }: Postings, labels: Labels): Labels {
  return labels.map((text) => {
    const number = symbols.numbers.get(text);
    return number === undefined ? text : (symbols.texts[number] as string);
  });
}

/** Each number once, in the order of their labels' keys. */
export function inOrder(postings: Postings, ids: Iterable<number>): Uint32Array {
  const ranks = ranksOf(postings.symbols);
  return new Uint32Array(new Set(ids)).sort((a, b) => {
    const [one, other] = [pageOf(postings, a), pageOf(postings, b)];
    let [at, there] = [startOf(one, a % idsPerPage), startOf(other, b % idsPerPage)];
    const [end, endThere] = [one.ends[a % idsPerPage] as number, other.ends[b % idsPerPage] as number];
    for (; at < end && there < endThere; at++, there++) {
      const [symbol, against] = [one.symbols[at] as number, other.symbols[there] as number];
      if (symbol !== against) return (ranks[symbol] as number) - (ranks[against] as number);
    }
    return end - at - (endThere - there);
  });
}

/** The numbers of the series that fulfil all matchers, in any order. Fault `invalid` for a bad regular expression. */
export function select(postings: Postings, matchers: readonly Matcher[]): Uint32Array {
  const wanted: Uint32Array[] = [];
  const excluded: Uint32Array[] = [];
  for (const matcher of matchers) {
    const test = compileMatcher(matcher);
    const byValue = postings.byName.get(matcher.name) ?? new Map<string, IdList>();
    // A label that is not there is empty: such series have no list, so those that fail are taken away instead.
    if (test("")) {
      for (const [value, list] of byValue) if (!test(value)) excluded.push(idsIn(list));
    } else wanted.push(joined(matcher, test, byValue));
  }
  const [least, ...others] = wanted.sort((a, b) => a.length - b.length);
  const sets = others.map((ids) => new Set(ids));
  const without = new Set(joinIds(excluded));
  const from = least ?? Uint32Array.from(allIds(postings));
  return from.filter((id) => isHeld(postings, id) && !without.has(id) && sets.every((set) => set.has(id)));
}

function joined(matcher: Matcher, test: (value: string) => boolean, byValue: Map<string, IdList>): Uint32Array {
  const only = onlyValues(matcher);
  const lists = only
    ? [...new Set(only)].flatMap((value) => byValue.get(value) ?? [])
    : [...byValue].filter(([value]) => test(value)).map(([, list]) => list);
  return joinIds(lists.map(idsIn));
}

function pageOf({ pages }: Postings, id: number): LabelPage {
  return pages.get(Math.floor(id / idsPerPage)) as LabelPage;
}

/** The numbers that have labels. */
function* allIds({ pages }: Postings): Generator<number> {
  for (const [number, page] of pages) {
    for (let nth = 0; nth < idsPerPage; nth++) if (isNamed(page, nth)) yield number * idsPerPage + nth;
  }
}

function addSeries(postings: Postings, labels: Labels): number {
  const { symbols, pages } = postings;
  const own = Uint32Array.from(labels, (text) => symbolOf(symbols, text));
  const id = postings.next++;
  const number = Math.floor(id / idsPerPage);
  const page = pages.get(number) ?? labelPage();
  pages.set(number, page);
  addLabels(page, id % idsPerPage, own);
  postings.size++;
  if ((postings.size + postings.dead) * 4 > postings.ring.length * 3) {
    postings.ring = ringOf(postings, postings.ring.length * 2);
  }
  addToRing(postings.ring, own, 0, own.length, id);
  for (let i = 0; i < own.length; i += 2) {
    const [label, value] = [symbols.texts[own[i] as number] as string, symbols.texts[own[i + 1] as number] as string];
    addId(listOf(postings, label, value), id);
  }
  return id;
}

function listOf({ byName }: Postings, label: string, value: string): IdList {
  const byValue = byName.get(label) ?? new Map<string, IdList>();
  byName.set(label, byValue);
  const list = byValue.get(value) ?? { ids: new Uint32Array(0), count: 0 };
  byValue.set(value, list);
  return list;
}

function addToRing(ring: Uint32Array, symbols: Uint32Array, start: number, end: number, id: number): void {
  let at = hashOf(symbols, start, end) & (ring.length - 1);
  while (ring[at] !== 0) at = (at + 1) & (ring.length - 1);
  ring[at] = id;
}

/** A ring of a length that is a power of two. */
function ringOf(postings: Postings, length: number): Uint32Array {
  const ring = new Uint32Array(length);
  for (const id of allIds(postings)) {
    const page = pageOf(postings, id);
    addToRing(ring, page.symbols, startOf(page, id % idsPerPage), page.ends[id % idsPerPage] as number, id);
  }
  return ring;
}

/** Forgets the numbers of series that are gone. */
function sweep(postings: Postings): void {
  const { byName, pages, symbols, next } = postings;
  for (const [label, byValue] of byName) {
    for (const [value, list] of byValue) {
      const left = idsIn(list).filter((id) => {
        const page = pages.get(Math.floor(id / idsPerPage));
        return page !== undefined && isNamed(page, id % idsPerPage);
      });
      if (left.length > 0) byValue.set(value, { ids: left, count: left.length });
      else byValue.delete(value);
    }
    if (byValue.size === 0) byName.delete(label);
  }
  const marked = new Uint8Array(symbols.texts.length);
  for (const [number, page] of pages) {
    const end = Math.min(idsPerPage, next - number * idsPerPage);
    shrinkPage(page, end);
    for (const symbol of page.symbols.subarray(0, page.ends[end - 1])) marked[symbol] = 1;
  }
  keepSymbols(symbols, marked);
  let length = 1024;
  while (postings.size * 4 > length * 3) length *= 2;
  postings.ring = ringOf(postings, length);
  postings.dead = 0;
}
