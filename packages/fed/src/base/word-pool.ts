/** One string for each text, whoever says it: a fleet says the same words over and over. */
export type WordPool = (text: string) => string;

/** Who never stops saying new words does not fill the memory; what was handed out stays as it is. */
const mostWords = 20_000;
/** Longer ones are hardly said twice. */
const longestWord = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The same text with letters of its own. */
export function copyText(text: string): string {
  return decoder.decode(encoder.encode(text));
}

/** What it hands out has letters of its own: a text that was cut from a longer one keeps all of that in memory. */
export function makeWordPool(most: number = mostWords): WordPool {
  const words = new Map<string, string>();
  return (text) => {
    const known = words.get(text);
    if (known !== undefined) return known;
    const word = copyText(text);
    if (word.length > longestWord) return word;
    if (words.size >= most) words.clear();
    words.set(word, word);
    return word;
  };
}
