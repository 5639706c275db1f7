import { expect, test } from "vitest";
import { readLength, readMoment, readRange, readSelectors, readSpan, unescapeName } from "./metric.ts";

test.each<[text: string, ms: number]>([
  ["1435781430.781", 1_435_781_430_781],
  ["1.5e3", 1_500_000],
  ["-1", -1_000],
  ["2015-07-01T20:10:51.781Z", 1_435_781_451_781],
  ["2015-07-01T22:10:51+02:00", 1_435_781_451_000],
])("the moment %s", (text, ms) => {
  expect(readMoment("time", text)).toBe(ms);
});

test.each(["", "now", "2015-07-01", "1e30", "Infinity", "0x10", "2015-13-01T00:00:00Z"])("%j is no moment", (text) => {
  expect(() => readMoment("time", text)).toThrow(
    `invalid parameter "time": cannot parse ${JSON.stringify(text)} to a valid timestamp`,
  );
});

test("a length is of seconds, or of units", () => {
  expect(["15", "0.25", "1m30s", "2h", "5ms"].map((text) => readLength("step", text))).toEqual([
    15_000, 250, 90_000, 7_200_000, 5,
  ]);
  for (const text of ["", "-1", "1x", "s", "1 m"]) {
    expect(() => readLength("step", text)).toThrow('invalid parameter "step": cannot parse');
  }
});

test.each<[start: string, end: string, step: string, says: string]>([
  ["10", "9", "1", "end timestamp must not be before start time"],
  ["0", "9", "0", "zero or negative query resolution step widths are not accepted"],
  ["0", "11001", "1", "exceeded maximum resolution of 11,000 points per timeseries"],
])("the range %s to %s by %s is refused", (start, end, step, says) => {
  expect(() => readRange(start, end, step)).toThrow(says);
});

test("11,000 steps are a range", () => {
  expect(readRange("0", "11000", "1s")).toEqual({ startMs: 0, endMs: 11_000_000, stepMs: 1_000 });
});

test("a span without ends is all there is", () => {
  expect(readSpan(undefined, undefined, 1_000)).toEqual({ startMs: 0, endMs: 3_601_000 });
  expect(() => readSpan("5", "4", 0)).toThrow("before start");
});

test("selectors: none, one, many, and one that is none", () => {
  expect(readSelectors(undefined)).toEqual([]);
  expect(readSelectors("up")).toEqual([[{ name: "__name__", kind: "=", value: "up" }]]);
  expect(readSelectors(["up", '{job="a"}'])).toHaveLength(2);
  expect(() => readSelectors("rate(up[1m])")).toThrow('invalid parameter "match[]": ');
});

test("names that are no plain words come as others", () => {
  expect(unescapeName("U__http_2e_method__x")).toBe("http.method_x");
  expect(unescapeName("U__a_110000_")).toBe("a_110000_");
  expect(unescapeName("job_name")).toBe("job_name");
});
