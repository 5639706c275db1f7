import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Duration, Size } from "./document.ts";
import { parseDuration, parseSize, readDuration, readSize } from "./unit.ts";

describe("durations", () => {
  it.each([
    ["0s", 0],
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["0.001s", 1],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
  ] as const)("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "5",
    "s",
    "5 s",
    " 5s",
    "5s ",
    "-5s",
    "+5s",
    "1e3s",
    "0x10s",
    "1.5ms",
    "1.2345s",
    ".5s",
    "5.s",
    "5S",
    "5sec",
    "5 s",
    "Infinitys",
    "9999999999999999d",
    "5constructor",
  ])("%j is none", (text) => {
    expect(readDuration(text)).toBeUndefined();
    expect(() => parseDuration(text as Duration)).toThrow(RangeError);
  });

  it("counts any whole number of any unit", () => {
    const units = fc.constantFrom(
      ["ms", 1],
      ["s", 1_000],
      ["m", 60_000],
      ["h", 3_600_000],
      ["d", 86_400_000],
    ) as fc.Arbitrary<[string, number]>;
    fc.assert(
      fc.property(fc.nat(10_000_000), units, (count, [unit, factor]) => {
        expect(readDuration(`${count}${unit}`)).toBe(count * factor);
      }),
    );
  });

  it("reads three decimals exactly", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (ms) => {
        expect(readDuration(`${(ms / 1_000).toFixed(3)}s`)).toBe(ms);
      }),
    );
  });

  it("never fails on other text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = readDuration(text);
        expect(ms === undefined || Number.isSafeInteger(ms)).toBe(true);
      }),
    );
  });
});

describe("sizes", () => {
  it.each([
    ["0B", 0],
    ["100B", 100],
    ["64kB", 64_000],
    ["10GB", 10_000_000_000],
    ["1TB", 1e12],
    ["1KiB", 1_024],
    ["512MiB", 536_870_912],
    ["1.5GiB", 1_610_612_736],
    ["2TiB", 2_199_023_255_552],
  ] as const)("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "5", "2G", "2 GiB", "2gib", "KB", "1KB", "1.5B", "-1GB", "9999999TiB"])("%j is none", (text) => {
    expect(readSize(text)).toBeUndefined();
    expect(() => parseSize(text as Size)).toThrow(RangeError);
  });

  it("grows with its number", () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.nat(100_000),
        fc.constantFrom("B", "kB", "MB", "GB", "KiB", "MiB", "GiB"),
        (a, b, unit) => {
          expect(Math.sign((readSize(`${a}${unit}`) ?? 0) - (readSize(`${b}${unit}`) ?? 0))).toBe(Math.sign(a - b));
        },
      ),
    );
  });
});
