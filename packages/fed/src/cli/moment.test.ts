import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { ageOf, durationMs, localTime, momentOf } from "./moment.ts";

const nowMs = Date.UTC(2026, 10, 21, 8);

test.each([
  ["30s", nowMs - 30_000],
  ["30m", nowMs - 1_800_000],
  ["1h", nowMs - 3_600_000],
  ["1.5h", nowMs - 5_400_000],
  ["2d", nowMs - 172_800_000],
  ["99999999d", 0],
  ["2026-11-21T07:30:00Z", nowMs - 1_800_000],
  ["2026-11-21T07:30Z", nowMs - 1_800_000],
  ["2026-11-21T09:00:00.500+02:00", nowMs - 3_599_500],
  ["2026-11-21T07:30", new Date(2026, 10, 21, 7, 30).getTime()],
  ["2026-11-21", new Date(2026, 10, 21).getTime()],
  ["2024-02-29", new Date(2024, 1, 29).getTime()],
])("%s is a moment", (word, atMs) => expect(momentOf("--since", word, nowMs)).toBe(atMs));

test.each([
  ["7"],
  ["2026"],
  ["0"],
  ["-1h"],
  ["1 h"],
  ["1w"],
  ["h"],
  ["yesterday"],
  ["nov 21"],
  ["2026-02-31"],
  ["2026-13-01"],
  ["2026-11-21T25:00"],
  ["2026-11-21T08"],
  ["21.11.2026"],
])("%s is none, and the allowed forms are named", (word) => {
  try {
    momentOf("--since", word, nowMs);
    expect.unreachable();
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    expect(thrown.code).toBe("invalid");
    expect(thrown.message).toContain(`--since is no time: "${word}"`);
    for (const form of ["30m", "1h", "2d", "2026-11-21T08:00:00Z"]) expect(thrown.hint).toContain(form);
  }
});

test("a bare number is asked back", () =>
  expect(() => momentOf("--since", "7", nowMs)).toThrow('--since is no time: "7"; 7m, 7h or 7d?'));

test("what is shown as a time can be typed as one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      const shown = localTime(seconds * 1_000);
      // Once a year an hour comes twice; both are shown alike.
      expect(localTime(momentOf("--since", shown, nowMs))).toBe(shown);
    }),
  );
});

test("no word is read as a time by accident, or throws anything but a Fault", () => {
  fc.assert(
    fc.property(fc.string(), (word) => {
      try {
        expect(momentOf("--since", word, nowMs)).toBeGreaterThanOrEqual(0);
      } catch (thrown) {
        expect(isFault(thrown)).toBe(true);
      }
    }),
  );
});

test.each([
  ["5m", 300_000],
  ["5", undefined],
  ["", undefined],
  ["1.5ms", undefined],
  ["9999999999999999d", undefined],
])("the duration %j", (word, ms) => expect(durationMs(word)).toBe(ms));

test.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 min"],
  [3_599_000, "59 min"],
  [7_200_000, "2 h"],
  [172_800_000, "2 d"],
  [-5_000, "0 s"],
])("%i ms ago: %s", (agoMs, text) => expect(ageOf(nowMs - agoMs, nowMs)).toBe(text));
