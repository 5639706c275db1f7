import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Labels, labelsKey, labelsOf } from "../series/labels.ts";
import { compileMatchers, type Matcher } from "../series/matcher.ts";
import { hold, idOf, inOrder, labelsOfId, name, postingsOf, release, select, unname } from "./postings.ts";

const text = fc.constantFrom("", "a", "b", "ab", "a.b");
const labels = fc.record({ x: text, y: text, z: text }).map(labelsOf);
const matcher = fc.record<Matcher>({
  name: fc.constantFrom("x", "y", "z", "none"),
  kind: fc.constantFrom("=", "!=", "=~", "!~"),
  value: fc.constantFrom("", "a", "b", "a|b", "a.*", ".+", ".*", "a[.]b", "(a|)"),
});

describe("postings", () => {
  it("find what the matchers say, through coming and going", () => {
    fc.assert(
      fc.property(
        fc.array(labels, { maxLength: 30 }),
        fc.array(fc.nat(29)),
        fc.array(matcher, { maxLength: 3 }),
        (all, going, matchers) => {
          const postings = postingsOf();
          const held = all.map((one) => hold(postings, one));
          const gone = new Set(going.filter((nth) => nth < held.length));
          for (const nth of gone) release(postings, held[nth] as number);
          const left = held.filter((_, nth) => !gone.has(nth));
          const fits = compileMatchers(matchers);
          const expected = [...new Set(left)].filter((id) => fits(labelsOfId(postings, id)));
          expect([...select(postings, matchers)].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
          expect(postings.size).toBe(new Set(left).size);
          for (const [nth, id] of held.entries()) {
            const stays = left.includes(id);
            expect(idOf(postings, all[nth] as Labels)).toBe(stays ? id : 0);
            if (stays) expect(labelsOfId(postings, id)).toEqual(all[nth]);
          }
          const keys = (ids: Iterable<number>) => Array.from(ids, (id) => labelsKey(labelsOfId(postings, id)));
          expect(keys(inOrder(postings, left))).toEqual([...new Set(keys(left))].sort());
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("forget series that are gone, but for a few, and never give a number twice", () => {
    const postings = postingsOf();
    const numbers = new Set<number>();
    for (let i = 0; i < 5000; i++) {
      const id = hold(postings, ["pod", `p${i}`]);
      numbers.add(id);
      release(postings, id);
    }
    expect(numbers.size).toBe(5000);
    expect(postings.size).toBe(0);
    expect(postings.byName.get("pod")?.size ?? 0).toBeLessThan(1100);
    expect(postings.symbols.numbers.size).toBeLessThan(1100);
  });

  it("know the labels of what is there, whatever has come and gone before", () => {
    const step = fc.record({ series: fc.nat(400), what: fc.constantFrom("hold", "release", "name", "unname") });
    fc.assert(
      fc.property(fc.array(step, { minLength: 3000, maxLength: 6000 }), (steps) => {
        const postings = postingsOf();
        // Half of the numbers are of series that come once, so that the gone are many enough to be swept.
        const there = new Map<string, { id: number; labels: Labels; held: number; named: number }>();
        for (const [nth, { series, what }] of steps.entries()) {
          const passing = ["n", `once${nth}`, "pod", `${nth % 7}`];
          release(postings, hold(postings, passing));
          const labels = series % 3 === 0 ? ["a", `${series}`] : ["a", `${series % 20}`, "b", `${series}`];
          const key = labelsKey(labels);
          const known = there.get(key) ?? { id: 0, labels, held: 0, named: 0 };
          if (what === "hold") {
            const id = hold(postings, labels);
            if (known.id > 0) expect(id).toBe(known.id);
            there.set(key, { ...known, id, held: known.held + 1 });
          } else if (what === "name") {
            expect(name(postings, labels)).toBe(known.id);
            if (known.id > 0) there.set(key, { ...known, named: known.named + 1 });
          } else if (what === "release" && known.held > 0) {
            release(postings, known.id);
            there.set(key, { ...known, held: known.held - 1 });
          } else if (what === "unname" && known.named > 0) {
            unname(postings, known.id);
            there.set(key, { ...known, named: known.named - 1 });
          }
          const now = there.get(key);
          if (now !== undefined && now.held + now.named === 0) there.delete(key);
        }
        expect(postings.size).toBe(there.size);
        for (const { id, labels } of there.values()) {
          expect(idOf(postings, labels)).toBe(id);
          expect(labelsOfId(postings, id)).toEqual(labels);
        }
        const held = [...there.values()].filter((one) => one.held > 0).map(({ id }) => id);
        expect([...select(postings, [])].sort((a, b) => a - b)).toEqual(held.sort((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });
});
