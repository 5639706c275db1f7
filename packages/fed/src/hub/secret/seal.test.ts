import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MasterKey, makeMasterKey } from "./master-key.ts";
import { opensProof, seal, sealProof, unseal } from "./seal.ts";

const place = fc.record({ scope: fc.string(), name: fc.string() });
const node5 = { scope: "node5", name: "ssh-key" };

describe("a sealed text", () => {
  test("opens where it belongs, whatever it says", () => {
    const key = makeMasterKey();
    fc.assert(
      fc.property(place, fc.string({ unit: "grapheme", maxLength: 300 }), (at, text) => {
        expect(unseal(key, at, seal(key, at, text))).toBe(text);
      }),
    );
  });

  test("opens nowhere else: names do not run into each other", () => {
    const key = makeMasterKey();
    fc.assert(
      fc.property(place, place, (one, other) => {
        fc.pre(one.scope !== other.scope || one.name !== other.name);
        expect(unseal(key, other, seal(key, one, "s"))).toBeUndefined();
      }),
    );
    expect(unseal(key, { scope: "a", name: "bc" }, seal(key, { scope: "ab", name: "c" }, "s"))).toBeUndefined();
  });

  test("does not open once a bit of it was changed, or it was cut", () => {
    const key = makeMasterKey();
    const sealed = seal(key, node5, "correct horse");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(unseal(key, node5, changed)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(unseal(key, node5, sealed.subarray(0, length))).toBeUndefined();
    }
  });

  test("does not open by another key, nor by the key under another id", () => {
    const key = makeMasterKey();
    const renamed: MasterKey = { ...key, id: "key_0000000000" };
    const sealed = seal(key, node5, "s");
    expect(unseal(makeMasterKey(), node5, sealed)).toBeUndefined();
    expect(unseal(renamed, node5, sealed)).toBeUndefined();
  });

  test("never looks the same twice", () => {
    const key = makeMasterKey();
    const seen = new Set(Array.from({ length: 1_000 }, () => Buffer.from(seal(key, node5, "s")).toString("hex")));
    expect(seen.size).toBe(1_000);
  });

  test("any bytes at all are refused without a throw", () => {
    const key = makeMasterKey();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(unseal(key, node5, bytes)).toBeUndefined();
      }),
    );
  });
});

test("a proof tells the key it was made by", () => {
  const key = makeMasterKey();
  expect(opensProof(key, sealProof(key))).toBe(true);
  expect(opensProof({ ...makeMasterKey(), id: key.id }, sealProof(key))).toBe(false);
});
