import { describe, expect, it } from "vitest";
import { labelsOf } from "../series/labels.ts";
import { openMemory } from "./memory.ts";
import { type Evaluate, runScript, type ScriptReport } from "./script-run.ts";

/** Not an evaluator: answers a selector with the last sample of each series, all else with the vector `1`. */
const evaluate: Evaluate = async ({ expr, time, queryable }, signal) => {
  const atMs = time.kind === "instant" ? time.atMs : time.endMs;
  const none = { warnings: ["PromQL warning: careful"], infos: [] };
  if (expr.kind !== "vector") return { answer: { kind: "scalar", atMs, value: 1 }, ...none };
  const points = [];
  for await (const batch of queryable.select({ matchers: expr.matchers, startMs: 0, endMs: atMs }, signal)) {
    for (const { labels, values } of batch) points.push({ labels, value: values.at(-1) as number });
  }
  return { answer: { kind: "vector", atMs, points }, ...none };
};

async function run(text: string): Promise<ScriptReport> {
  return runScript(text, { evaluate, store: openMemory(), signal: new AbortController().signal });
}

const load = 'load 1m\n  up{job="a"} 1+1x3\n  up{job="b"} 5 6 7 8\n  slow {{count:1}} {{count:2}}\n\n';

describe("runScript", () => {
  it("passes what is as expected", async () => {
    const script = `${load}eval instant at 2m up\n  up{job="a"} 3.000001\n  up{job="b"} 7\n\neval instant at 0 1 + 1\n  1\n`;
    expect(await run(script)).toEqual({ passed: 2, total: 2, failures: [], leftOut: [] });
  });

  it.each([
    ['up{job="a"} 3.1\n  up{job="b"} 7', '{__name__="up", job="a"} 3.1@120, found 3@120'],
    ['up{job="a"} 3', 'did not expect {__name__="up", job="b"} 7@120'],
    ['up{job="a"} 3\n  up{job="b"} 7\n  up 1', 'expected {__name__="up"} 1@120, found none'],
    ['expect ordered\n  up{job="b"} 7\n  up{job="a"} 3', "expected the order"],
    ["expect fail", "expected to fail, but it did not"],
    ["expect no_warn", "expected no warning, found: PromQL warning: careful"],
    ["expect warn msg: other", 'expected a warning with "other", found: PromQL warning: careful'],
    ["expect info", "expected an info with any text, found: none"],
    ["7", "expected a scalar, found a vector"],
  ])("names the difference when %s is expected", async (expected, words) => {
    const { failures, passed, total } = await run(`${load}eval instant at 2m up\n  ${expected}\n`);
    expect({ passed, total }).toEqual({ passed: 0, total: 1 });
    expect(failures).toMatchObject([{ line: 6, query: "up", words: expect.stringContaining(words) }]);
  });

  it("counts apart what needs native histograms or experiments, and forgets at clear", async () => {
    const script = [
      ...["eval instant at 2m max(slow)", "", "eval instant at 2m up", "  up {{count:1}}", ""],
      ...["eval instant at 2m limitk(1, up)", "", "clear", "eval instant at 2m slow"],
    ];
    const { leftOut, total, passed } = await run(load + script.join("\n"));
    expect(leftOut.map(({ line, words }) => `${line} ${words}`)).toEqual([
      "6 reads native histograms",
      "8 expects native histograms",
      "11 limitk() is experimental in Prometheus and not understood here",
    ]);
    expect({ total, passed }).toEqual({ total: 1, passed: 1 });
  });

  it("goes on after a line that cannot be read", async () => {
    const { failures, total } = await run("lead 5m\n\neval instant at 0 1 +\n\neval instant at 0 1\n  1\n");
    expect(total).toBe(3);
    expect(failures).toMatchObject([{ line: 1 }, { line: 3, words: expect.stringContaining("1:4") }]);
  });
});

describe("openMemory", () => {
  it("puts samples in order, and the later one of two in place of the other", async () => {
    const { append, queryable } = openMemory();
    const labels = labelsOf({ __name__: "up" });
    const series = (times: number[], values: number[]) => [
      { labels, times: Float64Array.from(times), values: Float64Array.from(values) },
    ];
    await append(series([20, 30], [2, 3]));
    await append(series([10, 30, 40], [1, 33, 4]));
    const signal = new AbortController().signal;
    const found = await Array.fromAsync(queryable.select({ matchers: [], startMs: 10, endMs: 30 }, signal));
    expect(found).toEqual([series([10, 20, 30], [1, 2, 33])]);
  });
});
