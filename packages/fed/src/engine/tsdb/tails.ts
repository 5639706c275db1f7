/**
 * Where the newest chunk of each series is, by the series' number: pages of addresses, one more than each, 0 for none. Numbers of
 * series that live at the same time lie side by side; a Map takes ten times as much for 100,000 of them.
 */
export type Tails = Map<number, Uint32Array>;

const perPage = 128;

/** -1 for none. */
export function tailOf(tails: Tails, id: number): number {
  return (tails.get(Math.floor(id / perPage))?.[id % perPage] ?? 0) - 1;
}

/** `at` may be -1, for none. */
export function setTail(tails: Tails, id: number, at: number): void {
  const number = Math.floor(id / perPage);
  let page = tails.get(number);
  if (page === undefined) {
    if (at < 0) return;
    page = new Uint32Array(perPage);
    tails.set(number, page);
  }
  page[id % perPage] = at + 1;
}
