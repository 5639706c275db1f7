/** Samples as columns that grow: the nth is of `of[n]`. */
export interface Rows<T> {
  of: T[];
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  /** The bits of the values: a low and a high half for each. */
  words: Uint32Array<ArrayBuffer>;
  count: number;
}

export function rowsOf<T>(room = 1_024): Rows<T> {
  const values = new Float64Array(room);
  return { of: [], times: new Float64Array(room), values, words: new Uint32Array(values.buffer), count: 0 };
}

export function addRow<T>(rows: Rows<T>, of: T, timeMs: number, value: number): void {
  const at = nextRow(rows, of);
  rows.times[at] = timeMs;
  rows.values[at] = value;
}

/** The value by its bits: a marker of staleness is a NaN of its own. */
export function addBits<T>(rows: Rows<T>, of: T, timeMs: number, low: number, high: number): void {
  const at = nextRow(rows, of);
  rows.times[at] = timeMs;
  rows.words[2 * at] = low;
  rows.words[2 * at + 1] = high;
}

/** Forgets what came after the first `count`. */
export function cutRows<T>(rows: Rows<T>, count: number): void {
  rows.count = count;
  rows.of.length = count;
}

function nextRow<T>(rows: Rows<T>, of: T): number {
  if (rows.count === rows.times.length) grow(rows);
  rows.of.push(of);
  return rows.count++;
}

function grow<T>(rows: Rows<T>): void {
  const [times, values] = [new Float64Array(rows.count * 2), new Float64Array(rows.count * 2)];
  const words = new Uint32Array(values.buffer);
  times.set(rows.times);
  words.set(rows.words);
  rows.times = times;
  rows.values = values;
  rows.words = words;
}
