import { expect, test } from "vitest";
import { readReport, withSecondLook, worthSecondLook } from "./test-report.ts";

const report = (status: string, results: readonly (readonly [string, string])[], message = "") =>
  JSON.stringify({
    testResults: [
      {
        name: "/root/a.test.ts",
        status,
        message,
        assertionResults: results.map(([fullName, s]) => ({ fullName, status: s })),
      },
    ],
  });

test("counts what passed, failed and was skipped, and names them", () => {
  const text = report("failed", [
    ["a", "passed"],
    ["b", "failed"],
    ["c", "skipped"],
    ["d", "todo"],
  ]);
  expect(readReport(text, 1, "/root")).toMatchObject({
    counts: { passed: 1, failed: 1, skipped: 2 },
    failed: ["a.test.ts › b"],
    skipped: ["a.test.ts › c", "a.test.ts › d"],
  });
});

test("a file that could not be loaded is a failure", () => {
  expect(readReport(report("failed", [], "SyntaxError: x\nat y"), 1, "/root").failed).toEqual([
    "a.test.ts › SyntaxError: x",
  ]);
});

test("a runner that ended badly is a failure, with a report or without", () => {
  expect(readReport(report("passed", [["a", "passed"]]), 1, "/root").counts).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
  expect(readReport(undefined, 1, "/root").counts.failed).toBe(1);
});

const filesOf = (files: Readonly<Record<string, readonly (readonly [string, string])[]>>, code = 1) => {
  const testResults = Object.entries(files).map(([path, results]) => ({
    name: `/root/${path}`,
    status: results.some(([, status]) => status === "failed") || results.length === 0 ? "failed" : "passed",
    assertionResults: results.map(([fullName, status]) => ({ fullName, status })),
  }));
  return readReport(JSON.stringify({ testResults }), code, "/root");
};

test("few files that start programs are worth a second look, and tests of our own code are not", () => {
  const failed = [["x", "failed"]] as const;
  const mixed = filesOf({
    "test/e2e/a.test.ts": failed,
    "test/e2e/b.test.ts": [["x", "passed"]],
    "packages/fed/src/adapter/docker/c.test.ts": [],
    "packages/fed/src/engine/tsdb/d.test.ts": failed,
    "packages/lab/src/e.test.ts": failed,
  });
  expect(worthSecondLook(mixed)).toEqual(["test/e2e/a.test.ts", "packages/fed/src/adapter/docker/c.test.ts"]);
  const names = Array.from({ length: 7 }, (_, at) => [`test/e2e/${at}.test.ts`, failed] as const);
  expect(worthSecondLook(filesOf(Object.fromEntries(names)))).toEqual([]);
});

test("what passes at a second look is named, and what fails again or for another reason has failed", () => {
  const first = filesOf({
    "test/a.test.ts": [
      ["one", "passed"],
      ["two", "failed"],
    ],
    "test/b.test.ts": [],
    "test/c.test.ts": [["five", "failed"]],
    "lab/d.test.ts": [["six", "failed"]],
  });
  const second = filesOf({
    "test/a.test.ts": [
      ["one", "failed"],
      ["two", "passed"],
    ],
    "test/b.test.ts": [
      ["three", "passed"],
      ["four", "skipped"],
    ],
    "test/c.test.ts": [["five", "failed"]],
  });
  const { report: whole, unsteady } = withSecondLook(first, second);
  expect(whole.counts).toEqual({ passed: 2, failed: 3, skipped: 1 });
  expect(whole.failed).toEqual(["test/a.test.ts › one", "test/c.test.ts › five", "lab/d.test.ts › six"]);
  expect(unsteady).toEqual(["test/a.test.ts › two", "test/b.test.ts › could not be run"]);
  const broken = withSecondLook(first, readReport(undefined, 1, "/root"));
  expect(broken.report.failed).toContain("the test runner left no report");
  expect(broken.report.counts.failed).toBe(5);
});
