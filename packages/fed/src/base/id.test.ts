import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cryptoRandom, type IdSource, makeId } from "./id.ts";

const source = (nowMs: number, random: IdSource["random"] = cryptoRandom): IdSource => ({ nowMs: () => nowMs, random });
/** Chance that is no chance. */
const fixed = (chance: Uint8Array) => (into: Uint8Array) => {
  into.set(chance);
  return into;
};
const time = fc.integer({ min: 0, max: 32 ** 10 - 1 });

describe("makeId", () => {
  it("is a prefix and 18 letters of Crockford's alphabet, whatever the time and the chance", () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(time, bytes, (nowMs, chance) => {
        const id = makeId("ins", source(nowMs, fixed(chance)));
        expect(id).toMatch(/^ins_[0-9abcdefghjkmnpqrstvwxyz]{18}$/);
      }),
    );
  });

  it("sorts by the millisecond of birth", () => {
    fc.assert(
      fc.property(time, time, (one, other) => {
        fc.pre(one !== other);
        expect(makeId("ins", source(one)) < makeId("ins", source(other))).toBe(one < other);
      }),
    );
  });

  it("differs within one millisecond", () => {
    const ids = Array.from({ length: 10_000 }, () => makeId("ins", source(1_700_000_000_000)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("uses all of the alphabet evenly", () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const counts = new Map<string, number>();
    for (let at = 0; at < 256; at += 8) {
      const id = makeId("x", source(0, fixed(every.subarray(at, at + 8))));
      for (const letter of id.slice(-8)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 32 }, () => 8));
  });

  it("takes a clock with fractions, and refuses a time it cannot write", () => {
    expect(makeId("x", source(1.75)).slice(0, 12)).toBe("x_0000000001");
    for (const nowMs of [-1, Number.NaN, 32 ** 10]) expect(() => makeId("x", source(nowMs))).toThrow(RangeError);
  });
});
