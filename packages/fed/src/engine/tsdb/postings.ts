import { type Labels, labelsKey } from "../series/labels.ts";
import { compileMatcher, type Matcher, onlyValues } from "../series/matcher.ts";

/**
 * The names of all series that the store knows, each with a number of its own, and for each label which series have it. Numbers
 * grow and are never given twice, so every list of them is ascending. Who keeps samples of a series holds its number.
 */
export interface Postings {
  readonly ids: Map<string, number>;
  readonly entries: Map<number, Entry>;
  readonly byName: Map<string, Map<string, number[]>>;
  /** One copy of each text: series share most of theirs. */
  readonly texts: Map<string, string>;
  next: number;
  /** Numbers in lists of series that are gone; swept when they are many. */
  dead: number;
}

interface Entry {
  readonly labels: Labels;
  readonly key: string;
  holders: number;
}

export function postingsOf(): Postings {
  return { ids: new Map(), entries: new Map(), byName: new Map(), texts: new Map(), next: 1, dead: 0 };
}

/** The series' number, made when it has none, and held until `release`. */
export function hold(postings: Postings, labels: Labels): number {
  const key = labelsKey(labels);
  const known = postings.ids.get(key);
  const entry = known === undefined ? undefined : postings.entries.get(known);
  if (known !== undefined && entry !== undefined) {
    entry.holders++;
    return known;
  }
  const id = postings.next++;
  const own = labels.map((text) => oneCopy(postings, text));
  postings.ids.set(key, id);
  postings.entries.set(id, { labels: own, key, holders: 1 });
  for (let i = 0; i < own.length; i += 2) listOf(postings, own[i] as string, own[i + 1] as string).push(id);
  return id;
}

export function release(postings: Postings, id: number): void {
  const entry = postings.entries.get(id);
  if (entry === undefined || --entry.holders > 0) return;
  postings.entries.delete(id);
  postings.ids.delete(entry.key);
  postings.dead++;
  if (postings.dead > 1000 && postings.dead > postings.entries.size / 2) sweep(postings);
}

/** Forgets the numbers of series that are gone. */
function sweep(postings: Postings): void {
  for (const [name, byValue] of postings.byName) {
    for (const [value, ids] of byValue) {
      const left = ids.filter((id) => postings.entries.has(id));
      if (left.length > 0) byValue.set(value, left);
      else byValue.delete(value);
    }
    if (byValue.size === 0) postings.byName.delete(name);
  }
  postings.texts.clear();
  for (const { labels } of postings.entries.values()) for (const text of labels) postings.texts.set(text, text);
  postings.dead = 0;
}

export function labelsOfId(postings: Postings, id: number): Labels {
  return (postings.entries.get(id) as Entry).labels;
}

/** The same labels as the store's own array, when it has the series. */
export function intern(postings: Postings, labels: Labels): Labels {
  const id = postings.ids.get(labelsKey(labels));
  return (id === undefined ? undefined : postings.entries.get(id)?.labels) ?? labels;
}

/** The numbers of the series that fulfil all matchers, in any order. Fault `invalid` for a bad regular expression. */
export function select(postings: Postings, matchers: readonly Matcher[]): readonly number[] {
  const wanted: (readonly number[])[] = [];
  const excluded: (readonly number[])[] = [];
  for (const matcher of matchers) {
    const test = compileMatcher(matcher);
    const byValue = postings.byName.get(matcher.name) ?? new Map<string, number[]>();
    // A label that is not there is empty: such series have no list, so those that fail are taken away instead.
    if (test("")) excluded.push(...[...byValue].filter(([value]) => !test(value)).map(([, ids]) => ids));
    else wanted.push(joined(matcher, test, byValue));
  }
  const [least, ...others] = wanted.sort((a, b) => a.length - b.length);
  const sets = others.map((ids) => new Set(ids));
  const without = new Set(excluded.flat());
  const from = least ?? [...postings.entries.keys()];
  return from.filter((id) => postings.entries.has(id) && !without.has(id) && sets.every((set) => set.has(id)));
}

function joined(matcher: Matcher, test: (value: string) => boolean, byValue: Map<string, number[]>): readonly number[] {
  const only = onlyValues(matcher);
  const lists = only
    ? [...new Set(only)].flatMap((value) => [byValue.get(value) ?? []])
    : [...byValue].filter(([value]) => test(value)).map(([, ids]) => ids);
  return lists.length === 1 ? (lists[0] as number[]) : lists.flat();
}

function listOf(postings: Postings, name: string, value: string): number[] {
  const byValue = postings.byName.get(name) ?? new Map<string, number[]>();
  postings.byName.set(name, byValue);
  const ids = byValue.get(value) ?? [];
  byValue.set(value, ids);
  return ids;
}

function oneCopy(postings: Postings, text: string): string {
  const known = postings.texts.get(text);
  if (known !== undefined) return known;
  postings.texts.set(text, text);
  return text;
}
