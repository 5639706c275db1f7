import { expect, test } from "vitest";
import { readReport } from "./type-check.ts";

test("a compiler's report is diagnostics, its indented lines with the message above", () => {
  const report = [
    "lab.ts(12,9): error TS2322: Type '\"dbb\"' is not assignable to type '\"db\"'.",
    "  Did you mean '\"db\"'?",
    "/abs/part (1).ts(1,2): error TS1005: ';' expected.",
    "error TS18003: No inputs were found.",
    "",
  ].join("\n");
  expect(readReport(report, "/lab")).toEqual([
    {
      code: "TS2322",
      severity: "error",
      path: "",
      message: "Type '\"dbb\"' is not assignable to type '\"db\"'. (TS2322)\n  Did you mean '\"db\"'?",
      at: { file: "/lab/lab.ts", line: 12, column: 9 },
    },
    {
      code: "TS1005",
      severity: "error",
      path: "",
      message: "';' expected. (TS1005)",
      at: { file: "/abs/part (1).ts", line: 1, column: 2 },
    },
    { code: "TS18003", severity: "error", path: "", message: "No inputs were found. (TS18003)" },
  ]);
});
