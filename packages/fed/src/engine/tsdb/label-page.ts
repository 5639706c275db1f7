/**
 * Which symbols name each series, by the series' number: pages of numbers that were given one after the other. An object with
 * an array of texts takes three times as much for each of 100,000 series.
 */
export interface LabelPage {
  /** Of one series after the other. */
  symbols: Uint32Array;
  /** Where those of each end. */
  readonly ends: Uint32Array;
  /** Who keeps samples of it. */
  readonly holders: Uint32Array;
  /** Who knows it by its number, with or without samples. */
  readonly namers: Uint32Array;
  /** How many have labels. */
  count: number;
}

export const idsPerPage = 128;

export function labelPage(): LabelPage {
  const all = new Uint32Array(3 * idsPerPage);
  return {
    symbols: new Uint32Array(0),
    ends: all.subarray(0, idsPerPage),
    holders: all.subarray(idsPerPage, 2 * idsPerPage),
    namers: all.subarray(2 * idsPerPage),
    count: 0,
  };
}

export function startOf({ ends }: LabelPage, nth: number): number {
  return nth === 0 ? 0 : (ends[nth - 1] as number);
}

/** For the number after the last. */
export function addLabels(page: LabelPage, nth: number, symbols: Uint32Array): void {
  const start = startOf(page, nth);
  const end = start + symbols.length;
  if (end > page.symbols.length) {
    // Most of its series have as many labels as this one.
    const grown = new Uint32Array(start + symbols.length * Math.min(idsPerPage - nth, 8 + (nth >> 1)));
    grown.set(page.symbols.subarray(0, start));
    page.symbols = grown;
  }
  page.symbols.set(symbols, start);
  page.ends[nth] = end;
  page.count++;
}

export function isNamed({ holders, namers }: LabelPage, nth: number): boolean {
  return holders[nth] !== 0 || namers[nth] !== 0;
}

/** Forgets the symbols of numbers before `end` that nobody has any more. */
export function shrinkPage(page: LabelPage, end: number): void {
  const { symbols, ends } = page;
  let [at, start] = [0, 0];
  for (let nth = 0; nth < end; nth++) {
    const to = ends[nth] as number;
    if (isNamed(page, nth)) {
      symbols.copyWithin(at, start, to);
      at += to - start;
    }
    ends[nth] = at;
    start = to;
  }
  if (at < symbols.length) page.symbols = symbols.slice(0, at);
}
