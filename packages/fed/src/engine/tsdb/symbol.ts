/**
 * The texts of labels, each once, with a number: series share most of theirs. A number that no series has any more is given
 * again, so whoever keeps one is known to `keepSymbols`.
 */
export interface Symbols {
  readonly numbers: Map<string, number>;
  readonly texts: string[];
  readonly free: number[];
}

export function symbolsOf(): Symbols {
  return { numbers: new Map(), texts: [], free: [] };
}

/** The text's number, made when it has none. */
export function symbolOf(symbols: Symbols, text: string): number {
  const known = symbols.numbers.get(text);
  if (known !== undefined) return known;
  const number = symbols.free.pop() ?? symbols.texts.length;
  symbols.texts[number] = text;
  symbols.numbers.set(text, number);
  return number;
}

/** Forgets the texts whose number is not marked by a 1. */
export function keepSymbols({ numbers, texts, free }: Symbols, marked: Uint8Array): void {
  for (const [text, number] of numbers) {
    if (marked[number] === 1) continue;
    numbers.delete(text);
    texts[number] = "";
    free.push(number);
  }
}

/** For each number the place of its text among all in their order. */
export function ranksOf({ numbers, texts }: Symbols): Uint32Array {
  const order = [...numbers.values()].sort((a, b) => ((texts[a] as string) < (texts[b] as string) ? -1 : 1));
  const ranks = new Uint32Array(texts.length);
  for (const [rank, number] of order.entries()) ranks[number] = rank;
  return ranks;
}
