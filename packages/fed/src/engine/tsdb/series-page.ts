/**
 * What is known of series with samples in memory, by a series' number: pages of columns. An object for each takes 200 bytes more,
 * and there are 100,000.
 */
export interface SeriesPage {
  /** Of its newest sample, also of one that is no longer in memory; -Infinity for none. */
  readonly lastMs: Float64Array;
  /** The bits of its newest sample, low half and high half. */
  readonly lastWords: Uint32Array;
  /** Samples that wait uncompressed, all of one span. */
  readonly used: Uint8Array;
  /** The number of the slab with their times + 1; 0 for none. */
  readonly times: Uint32Array;
  /** The number of the slab with their values + 1; 0 while all are as the newest: half of all series never change. */
  readonly slab: Uint32Array;
  /** The file of the write-ahead log that has named it last. */
  readonly walFile: Uint32Array;
  /** The number of who brought it + 1; 0 when no such series is here. */
  readonly tenant: Uint32Array;
  count: number;
}

export const seriesPerPage = 128;
const seriesBytes = 8 + 8 + 4 + 4 + 4 + 4 + 1;

export function seriesPage(): SeriesPage {
  // One buffer: each has a price of its own.
  const buffer = new ArrayBuffer(seriesBytes * seriesPerPage);
  const at = (bytesBefore: number) => bytesBefore * seriesPerPage;
  return {
    lastMs: new Float64Array(buffer, 0, seriesPerPage),
    lastWords: new Uint32Array(buffer, at(8), 2 * seriesPerPage),
    times: new Uint32Array(buffer, at(16), seriesPerPage),
    slab: new Uint32Array(buffer, at(20), seriesPerPage),
    walFile: new Uint32Array(buffer, at(24), seriesPerPage),
    tenant: new Uint32Array(buffer, at(28), seriesPerPage),
    used: new Uint8Array(buffer, at(32), seriesPerPage),
    count: 0,
  };
}
