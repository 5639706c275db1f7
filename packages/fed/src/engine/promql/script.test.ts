import { describe, expect, it } from "vitest";
import { readScript } from "./script.ts";

describe("readScript", () => {
  it("expands points and adds up as it goes", () => {
    const [command] = readScript(
      'load 5m\n  up{job="a, b"} 1 2+3x2 _ _x2 stale 4x1 0-1x2 NaN -Inf {{schema:0 count:1}}+{{count: 2}}x3',
    );
    expect(command).toMatchObject({ kind: "load", stepMs: 300_000, line: 1 });
    const series = command?.kind === "load" ? command.series : [];
    expect(series[0]?.labels).toEqual(["__name__", "up", "job", "a, b"]);
    expect(series[0]?.points).toEqual([
      ...[1, 2, 5, 8, "none", "none", "none", "stale", 4, 4, 0, -1, -2],
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(series[0]?.histogram).toBe(true);
  });

  it("reads what is expected, in the new and the old words", () => {
    const text = [
      "eval_fail instant at 0 up",
      "  expected_fail_regexp dup.*",
      "",
      "eval range from 1m to 2m step 30s up",
      "  expect warn msg: a b",
      "  expect no_info",
      '  {"a.b", c="d"} 1 2',
      "",
      "eval instant at 1s 'x'",
      '  expect string "x\\n"',
      "",
      "eval instant at 1s 1",
      "  -1.5e3",
      "",
      "eval instant at 1m up[1m]",
      "  expect range vector from 10s to 1m step 10s",
    ].join("\n");
    const expected = readScript(text).map((one) => (one.kind === "eval" ? one.expected : one));
    expect(expected[0]).toMatchObject({ fail: { regex: "dup.*" } });
    expect(expected[1]).toMatchObject({ warn: [{ message: "a b" }], noInfo: true });
    expect(expected[1]).toMatchObject({
      value: { series: [{ labels: ["__name__", "a.b", "c", "d"], points: [1, 2], line: 7 }] },
    });
    expect(expected[2]).toMatchObject({ value: { kind: "string", value: "x\n" } });
    expect(expected[3]).toMatchObject({ value: { kind: "scalar", value: -1500 } });
    expect(expected[4]).toMatchObject({ value: { grid: { startMs: 10_000, endMs: 60_000, stepMs: 10_000 } } });
  });

  it.each([
    ["loud 5m", "expected load, clear or eval, found loud 5m"],
    ["load", "expected load and a step, such as load 5m, found load"],
    ["load 5m\n up 1..2", "1..2 is no point"],
    ["load 5m\n 5", 'expected a series such as up{job="a"}, found 5'],
    ["load 1m\n up 1x99999999999", "more than 1000000 points in one line"],
    ["eval instant at noon up", "noon is no time: expected a duration such as 5m"],
    ["eval instant at 5m up\n expect joy", "this expectation is not understood: expect joy"],
  ])("says what is wrong with %s", (text, words) => {
    expect(readScript(text)).toMatchObject([{ kind: "bad", words, line: 1 }]);
  });
});
