import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf } from "../series/labels.ts";
import { compileMatchers, type Matcher } from "../series/matcher.ts";
import { hold, labelsOfId, postingsOf, release, select } from "./postings.ts";

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
          expect(postings.entries.size).toBe(new Set(left).size);
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
    expect(postings.entries.size).toBe(0);
    expect(postings.byName.get("pod")?.size ?? 0).toBeLessThan(1100);
    expect(postings.texts.size).toBeLessThan(1100);
  });
});
