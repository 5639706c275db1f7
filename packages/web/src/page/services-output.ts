/** A line of output as it is kept for the page. */
export interface OutputLine {
  /** Counts up over the lines of one view; a line keeps its number. */
  readonly number: number;
  readonly instance: string;
  readonly text: string;
}

/** Lines that are drawn together; one that is full never changes again, so it is drawn once. */
export interface OutputBlock {
  readonly first: number;
  readonly lines: readonly OutputLine[];
}

/** The newest lines of a service, a bounded number of them. */
export interface Output {
  readonly blocks: readonly OutputBlock[];
  /** How many lines are kept. */
  readonly size: number;
  /** How many older ones were let go of. */
  readonly dropped: number;
  /** Number of the next line. */
  readonly next: number;
}

export const emptyOutput: Output = { blocks: [], size: 0, dropped: 0, next: 1 };

export const mostLines = 5000;
const blockLines = 100;

/** It will not grow any more. */
export function isFull({ lines }: OutputBlock): boolean {
  return lines.length >= blockLines;
}

/** The output with these lines at its end; whole blocks at its beginning go when there are too many. Pure. */
export function appendLines(
  output: Output,
  lines: readonly { readonly instance: string; readonly text: string }[],
  limit = mostLines,
): Output {
  if (lines.length === 0) return output;
  // Of a flood only the end can stay.
  const skipped = Math.max(0, lines.length - limit);
  const blocks = skipped > 0 ? [] : [...output.blocks];
  let dropped = output.dropped + (skipped > 0 ? output.size + skipped : 0);
  let size = skipped > 0 ? 0 : output.size;
  let next = output.next + skipped;
  let open: OutputLine[] = [];
  const last = blocks.at(-1);
  if (last && !isFull(last)) {
    blocks.pop();
    open = [...last.lines];
  }
  const close = () => {
    const [first] = open;
    if (first) blocks.push({ first: first.number, lines: open });
    open = [];
  };
  for (const { instance, text } of lines.slice(skipped)) {
    open.push({ number: next, instance, text });
    next += 1;
    size += 1;
    if (open.length === blockLines) close();
  }
  close();
  while (size > limit) {
    const oldest = blocks[0];
    if (!oldest) break;
    const surplus = size - limit;
    if (oldest.lines.length <= surplus) blocks.shift();
    else {
      const kept = oldest.lines.slice(surplus);
      blocks[0] = { first: kept[0]?.number ?? oldest.first, lines: kept };
    }
    const gone = Math.min(surplus, oldest.lines.length);
    size -= gone;
    dropped += gone;
  }
  return { blocks, size, dropped, next };
}

/** Only the lines with the text that is looked for and of the instance that is asked for; no matter of case. Pure. */
export function filterBlocks(
  blocks: readonly OutputBlock[],
  filter: { readonly text: string; readonly instance: string },
): readonly OutputBlock[] {
  const wanted = filter.text.toLowerCase();
  if (wanted === "" && filter.instance === "") return blocks;
  return blocks.flatMap((block) => {
    const lines = block.lines.filter(
      (line) =>
        (filter.instance === "" || line.instance === filter.instance) &&
        (wanted === "" || line.text.toLowerCase().includes(wanted)),
    );
    return lines.length === 0 ? [] : [{ first: block.first, lines }];
  });
}

/** A text cut where the sought text is in it, so that it can be marked: plain, hit, plain, hit, … Pure. */
export function markHits(text: string, sought: string): readonly string[] {
  if (sought === "") return [text];
  const [low, wanted] = [text.toLowerCase(), sought.toLowerCase()];
  // Letters whose small form is longer would shift the places.
  if (low.length !== text.length) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return parts;
}
