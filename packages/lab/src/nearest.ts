/** "Did you mean": the known word that is nearest to a misspelt one. */

/** Number of letters to insert, delete, change or swap with a neighbour; `limit + 1` as soon as it is more than `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
      best = Math.min(best, cost);
    }
    if (best > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/**
 * The nearest of `known` to `word`, or undefined when none is near: at most a third of the letters differ (at least
 * one, at most three), case aside. The first one wins a tie.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.slice(0, 64).toLowerCase();
  let limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  let found: string | undefined;
  for (const candidate of known) {
    const cost = distance(wanted, candidate.toLowerCase(), limit);
    if (cost > limit) continue;
    found = candidate;
    if (cost === 0) return found;
    limit = cost - 1;
  }
  return found;
}
