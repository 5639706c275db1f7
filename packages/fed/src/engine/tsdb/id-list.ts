/** Numbers of series, ascending; an array of numbers takes twice as much, and there are half a million. */
export interface IdList {
  ids: Uint32Array;
  count: number;
}

export function addId(list: IdList, id: number): void {
  if (list.count === list.ids.length) {
    const ids = new Uint32Array(Math.max(4, list.count + (list.count >> 2)));
    ids.set(list.ids);
    list.ids = ids;
  }
  list.ids[list.count++] = id;
}

/** Not copied: good until the next change. */
export function idsIn({ ids, count }: IdList): Uint32Array {
  return ids.subarray(0, count);
}

export function joinIds(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 1) return lists[0] as Uint32Array;
  const joined = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined;
}
