import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Desk, makeDesk } from "../command.scene.ts";

const good = "load 1m\n  up 1 2 3\n\neval instant at 2m up\n  up 3\n\neval instant at 2m limitk(1, up)\n  up 3\n";
const bad = "load 1m\n  up 1 2 3\n\neval instant at 1m up\n  up 7\n\neval instant at 0 1 + 1\n  2\n";

async function scripts(files: Readonly<Record<string, string>>): Promise<Desk> {
  const desk = await makeDesk({}, { here: false });
  mkdirSync(join(desk.home, "a/deep"), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(desk.home, name), text);
  return desk;
}

test("test: a line for each file, the failures with line and difference, what is left out with the reason", async () => {
  const { fed } = await scripts({ "good.test": good, "a/bad.test": bad });
  const { code, out } = await fed("promql", "test", "good.test", "a/bad.test");
  expect(code).toBe(1);
  expect(out.split("\n")).toEqual([
    "FILE        PASSED  TOTAL",
    "good.test        1      1",
    "a/bad.test       1      2",
    "all              2      3",
    "",
    "failed a/bad.test:4  up",
    expect.stringMatching(/^ {2}expected .*7@60, found 2@60$/),
    "",
    "left out good.test:7  limitk(1, up)  (limitk() is experimental in Prometheus and not understood here)",
    "",
  ]);
});

test("test: all good ends with 0, thorough or not", async () => {
  const { fed } = await scripts({ "good.test": good });
  expect(await fed("promql", "test", "good.test")).toMatchObject({ code: 0, err: "" });
  expect(await fed("promql", "test", "good.test", "--thorough")).toMatchObject({ code: 0, err: "" });
});

test("test: a folder, a pattern and a file twice, as data", async () => {
  const { fed } = await scripts({ "a/x.test": good, "a/deep/y.txt": bad, "a/README.md": "no script" });
  const filesOf = async (...words: string[]) => {
    const { files, ...sums } = JSON.parse((await fed("promql", "test", "--json", ...words)).out) as {
      files: readonly { file: string }[];
    };
    return [...files.map(({ file }) => file), sums];
  };
  expect(await filesOf("a")).toEqual(["a/deep/y.txt", "a/x.test", { passed: 2, total: 3 }]);
  expect(await filesOf("a/*.test", "a/x.test")).toEqual(["a/x.test", { passed: 1, total: 1 }]);
});

test("test: what is not there is a fault", async () => {
  const { fed } = await scripts({ "a/README.md": "no script" });
  expect(await fed("promql", "test", "nothing.test")).toMatchObject({ code: 4, out: "" });
  expect(await fed("promql", "test", "a")).toMatchObject({ code: 4, err: expect.stringContaining("holds no scripts") });
  expect(await fed("promql", "test")).toMatchObject({ code: 2 });
});

test("format and explain: the query as fed writes it and in words; a wrong one with carets", async () => {
  const { fed } = await scripts({});
  const query = "sum by(job)( rate(up [5m]))";
  expect((await fed("promql", "format", query)).out).toBe("sum by (job) (rate(up[5m]))\n");
  expect((await fed("promql", "format", "--", "-up")).out).toBe("-up\n");
  expect((await fed("promql", "format", query, "--json")).out).toBe('{"query":"sum by (job) (rate(up[5m]))"}\n');
  expect((await fed("promql", "explain", query)).out).toMatch(
    /^sum by \(job\) .*\n {2}rate\(\) .*\n {4}up\[5m\] .*\n$/,
  );
  expect(JSON.parse((await fed("promql", "explain", query, "--json")).out)).toMatchObject({
    parts: [{ text: "rate()" }],
  });
  for (const verb of ["format", "explain"]) {
    const { code, err } = await fed("promql", verb, "up +");
    expect(code).toBe(2);
    expect(err).toContain("\n  up +\n      ^\n");
  }
});
