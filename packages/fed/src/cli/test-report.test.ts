import { expect, test } from "vitest";
import { readReport } from "./test-report.ts";

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
  expect(readReport(text, 1, "/root")).toEqual({
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
