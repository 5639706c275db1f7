import { describe, expect, it } from "vitest";
import { type Labels, labelsOf } from "../series/labels.ts";
import { makeNamed, makeNamer, type Told } from "./naming.ts";

const labels = Array.from({ length: 12 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
const rowsOf = ({ labels: rows }: Told) => Array.from({ length: rows.length }, (_, row) => rows.at(row));

/** Numbers of a store's, and how often each is known to somebody. */
function makeNames(refused: (labels: Labels) => boolean = () => false) {
  const ids = new Map<string, number>();
  const known: Labels[] = [[]];
  const uses: number[] = [];
  return {
    uses,
    name(one: Labels) {
      if (refused(one)) return 0;
      const id = ids.get(one.join()) ?? known.push([...one]) - 1;
      ids.set(one.join(), id);
      uses[id] = (uses[id] ?? 0) + 1;
      return id;
    },
    unname(id: number) {
      uses[id] = (uses[id] as number) - 1;
    },
    labelsOf(id: number) {
      expect(uses[id]).toBeGreaterThan(0);
      return known[id] as Labels;
    },
  };
}

/** Both sides, with what comes out on the other. */
function connect(most: number, names = makeNames()) {
  const [name, { read }] = [makeNamer(most), makeNamed(names)];
  return (rows: readonly Labels[]) => {
    const naming = name(rows);
    const told = read(structuredClone(naming));
    expect(rowsOf(told)).toEqual(rows);
    told.done();
    expect(rowsOf(told)).toEqual(rows);
    return { naming, told };
  };
}

describe("the naming of rows", () => {
  it("says a list that comes again by one number, and another one by its rows", () => {
    const tell = connect(100);
    const [list, turned] = [labels.slice(0, 5), [labels[0], ...labels.slice(1, 5).reverse()] as Labels[]];
    expect(tell(list).naming).toMatchObject({ list: 0, rows: new Uint32Array([1, 2, 3, 4, 5]) });
    const second = tell([...list]);
    expect(second.naming).toMatchObject({ list: 1, named: [] });
    const third = tell([...list]);
    expect(third.naming).toEqual({ forget: "nothing", named: [], list: 1, rows: undefined });
    expect(second.told.found).toEqual(new Uint32Array([1, 2, 3, 4, 5]));
    expect(third.told.found).toEqual(second.told.found);
    expect(tell(turned).naming.list).toBe(0);
    expect(tell(list.slice(0, 4)).naming.list).toBe(0);
  });

  it("does not take a list that was changed in place for the one before", () => {
    const tell = connect(100);
    const list = labels.slice(0, 3);
    for (let time = 0; time < 3; time++) tell(list);
    list[1] = labels[7] as Labels;
    expect(tell(list).naming.rows).toBeDefined();
  });

  it("means the same after either side has forgotten", () => {
    const tell = connect(6);
    for (let round = 0; round < 50; round++) {
      for (let from = 0; from < 10; from += 1 + (round % 3)) {
        tell(labels.slice(from, from + 1 + ((round + from) % 8)));
        tell(labels.slice(0, 3));
      }
    }
    tell([]);
  });

  it("knows the store's number of all rows once it is there, also while others are under way", () => {
    const [name, { read }] = [makeNamer(), makeNamed(makeNames())];
    const asked = [name(labels), name(labels), name(labels)].map((naming) => read(structuredClone(naming)));
    for (const told of asked) expect(rowsOf(told)).toEqual(labels);
    for (const { done } of asked) done();
    const told = read(structuredClone(name(labels)));
    expect([...told.found]).toEqual(labels.map((_, row) => row + 1));
    expect(rowsOf(told)).toEqual(labels);
    expect(told.labels.at(3)).toBe(told.labels.at(3));
  });

  it("keeps the labels of series that the store refuses", () => {
    const tell = connect(
      100,
      makeNames((one) => one.includes("3")),
    );
    for (let time = 0; time < 4; time++) expect(tell(labels).told.found[3]).toBe(0);
  });

  it("learns a series that the store takes later, though it is named no more", () => {
    let full = true;
    const tell = connect(
      100,
      makeNames(() => full),
    );
    const list = labels.slice(0, 3);
    tell(list);
    full = false;
    expect(tell([...list]).told.found).toEqual(new Uint32Array([0, 0, 0]));
    expect(tell([...list]).told.found).toEqual(new Uint32Array([1, 2, 3]));
  });

  it("lets the store's numbers go when it forgets, and not before the batches under way are done", () => {
    const names = makeNames();
    const [name, { read, close }] = [makeNamer(24), makeNamed(names)];
    const first = read(structuredClone(name(labels)));
    first.done();
    const other = labels.map((one) => [...one, "z", "z"]);
    const second = read(structuredClone(name(other)));
    const third = read(structuredClone(name(other)));
    expect(rowsOf(second)).toEqual(other);
    second.done();
    expect(names.uses.slice(1)).toEqual([...labels.map(() => 1), ...other.map(() => 1)]);
    read(structuredClone(name([["one", "more"]]))).done();
    const fourth = read(structuredClone(name(labels)));
    expect(rowsOf(third)).toEqual(other);
    fourth.done();
    expect(rowsOf(third)).toEqual(other);
    third.done();
    expect(names.uses.slice(1)).toEqual([...labels.map(() => 1), ...other.map(() => 0), 0]);
    close();
    expect(names.uses.slice(1).every((uses) => uses === 0)).toBe(true);
  });

  it("forgets when the labels are long, however few they are", () => {
    const name = makeNamer(100, 50);
    const long = [["a", "b".repeat(60)]];
    expect(name(long).forget).toBe("nothing");
    expect(name(labels.slice(0, 1)).forget).toBe("all");
    expect(name(labels.slice(0, 1)).forget).toBe("nothing");
  });
});
