/** Who brings series, each by a number; one who has none left is forgotten, and his number is given again. */
export interface Tenants {
  readonly numbers: Map<string, number>;
  readonly names: string[];
  /** How many series each has brought. */
  readonly counts: number[];
  readonly free: number[];
}

export function tenantsOf(): Tenants {
  return { numbers: new Map(), names: [], counts: [], free: [] };
}

export function countOf({ numbers, counts }: Tenants, name: string): number {
  return counts[numbers.get(name) ?? -1] ?? 0;
}

/** Counts one series more; returns the tenant's number. */
export function addTo(tenants: Tenants, name: string): number {
  const { numbers, names, counts, free } = tenants;
  const number = numbers.get(name) ?? free.pop() ?? names.length;
  numbers.set(name, number);
  names[number] = name;
  counts[number] = (counts[number] ?? 0) + 1;
  return number;
}

export function takeFrom({ numbers, names, counts, free }: Tenants, number: number): void {
  counts[number] = (counts[number] ?? 1) - 1;
  if (counts[number] !== 0) return;
  numbers.delete(names[number] as string);
  free.push(number);
}
