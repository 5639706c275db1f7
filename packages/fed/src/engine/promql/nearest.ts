/** The name that is most like a misspelt one; undefined when none is near. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const one of names) {
    if (Math.abs(one.length - wanted.length) > least) continue;
    const distance = editDistance(wanted, one) - (one.startsWith(wanted) ? 0.5 : 0);
    if (distance < least) [best, least] = [one, distance];
  }
  return best;
}

/** How many letters must be changed, added, left out or swapped with the next. */
function editDistance(from: string, to: string): number {
  let last: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, (last[j - 2] ?? 0) + 1);
      }
      next.push(least);
    }
    [last, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
