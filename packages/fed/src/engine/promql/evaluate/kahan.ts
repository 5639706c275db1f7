/** A sum of Kahan and Neumaier: `value + rest` is exact to the last bit for all but wild inputs. */
export interface Sum {
  value: number;
  rest: number;
}

/** Adds to the sum. An overflow gives up the rest, as Prometheus does. */
export function kahan(sum: Sum, add: number): void {
  const { value } = sum;
  const total = value + add;
  if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) sum.rest = 0;
  else if (Math.abs(value) >= Math.abs(add)) sum.rest += value - total + add;
  else sum.rest += add - total + value;
  sum.value = total;
}
