import fc from "fast-check";
import { expect, test } from "vitest";
import { ageStepMs, ageText, bytesText, clockText, countText, dayText, durationText, momentText } from "./format.ts";

const nowMs = 1_800_000_000_000;

test.each([
  [0, "now"],
  [-1_500, "now"],
  [-2_000, "2 s ago"],
  [-59_999, "59 s ago"],
  [-60_000, "1 min ago"],
  [-3_599_999, "59 min ago"],
  [-3_600_000, "1 h ago"],
  [-47 * 3_600_000, "47 h ago"],
  [-48 * 3_600_000, "2 d ago"],
  [-400 * 86_400_000, "1 y ago"],
  [9 * 60_000, "in 9 min"],
])("what is %i ms away reads %s", (distance, text) => {
  expect(ageText(nowMs + distance, nowMs)).toBe(text);
});

test("an age is read again soon enough, and not more often than it changes", () => {
  expect(ageStepMs(10_000)).toBe(1000);
  expect(ageStepMs(-600_000)).toBe(15_000);
  expect(ageStepMs(7_200_000)).toBe(60_000);
});

test.each([
  [0, "0 ms"],
  [0.34, "340 µs"],
  [1.24, "1.2 ms"],
  [12.4, "12 ms"],
  [999.6, "1 s"],
  [1_500, "1.5 s"],
  [59_400, "59 s"],
  [59_990, "1 min"],
  [125_000, "2 min 5 s"],
  [3_600_000, "1 h"],
  [12_000_000, "3 h 20 min"],
  [353_000_000, "4 d 2 h"],
  [-1_500, "-1.5 s"],
])("%d ms last %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [0, "0 B"],
  [512, "512 B"],
  [1_024, "1 KiB"],
  [1_536, "1.5 KiB"],
  [1_048_575, "1 MiB"],
  [67_430_000_000, "62.8 GiB"],
  [8 * 2 ** 60, "8192 PiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test("no duration or size reads as 60 s, 60 min, 24 h or 1024 of a unit", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 3e11, noNaN: true }), (value) => {
      expect(durationText(value)).not.toMatch(/\b(60 s|60 min|24 h|1000 ms|1000 µs)\b/);
      expect(bytesText(value)).not.toMatch(/^1024 /);
    }),
  );
});

test("a count takes the right word", () => {
  expect(countText(1, "entry", "entries")).toBe("1 entry");
  expect(countText(0, "service")).toBe("0 services");
  expect(countText(1204, "event")).toBe("1,204 events");
});

test("a moment is in full and sortable", () => {
  const atMs = new Date(2026, 10, 21, 6, 9, 5).getTime();
  expect(momentText(atMs)).toBe("2026-11-21 06:09:05");
  expect(clockText(atMs)).toBe("06:09:05");
});

test("a day has a name while it is near", () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime();
  expect(dayText(at(21, 0), at(21, 23))).toBe("Today");
  expect(dayText(at(20, 23), at(21, 0))).toBe("Yesterday");
  expect(dayText(at(19, 12), at(21, 0))).toMatch(/^Thursday,? 19 November 2026$/);
});
