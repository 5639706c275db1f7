import { describe, expect, it } from "vitest";
import { type Labels, labelsOf } from "../series/labels.ts";
import { makeNamed, makeNamer } from "./naming.ts";

const labels = Array.from({ length: 12 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
const own = (copy: Labels) => copy;

/** Both sides, with what comes out on the other. */
function connect(most: number) {
  const [name, read] = [makeNamer(most), makeNamed()];
  return (rows: readonly Labels[]) => {
    const naming = name(rows);
    const told = read(structuredClone(naming));
    told.keep(own);
    expect(told.labels).toEqual(rows);
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
    expect(third.told.found).toBe(second.told.found);
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

  it("holds the store's own arrays, not the copies that came", () => {
    const [name, read] = [makeNamer(), makeNamed()];
    const asked = [name(labels), name(labels), name(labels)].map((naming) => read(structuredClone(naming)));
    const mine = labels.map((one) => [...one]);
    for (const { keep } of asked) keep((copy) => mine.find((one) => one[3] === copy[3]) ?? copy);
    const { labels: told } = read(structuredClone(name(labels)));
    expect(told.every((one, row) => one === mine[row])).toBe(true);
  });

  it("forgets when the labels are long, however few they are", () => {
    const name = makeNamer(100, 50);
    const long = [["a", "b".repeat(60)]];
    expect(name(long).forget).toBe("nothing");
    expect(name(labels.slice(0, 1)).forget).toBe("all");
    expect(name(labels.slice(0, 1)).forget).toBe("nothing");
  });
});
