import { relative } from "node:path";
import { z } from "zod";

/** Vitest's JSON report, as far as it is read here. */
const reportShape = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Report {
  readonly counts: Counts;
  /** `path › test`. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * What the tests came to. A file that fails without a failing test of its own (it could not be loaded, a hook threw)
 * counts as one failure, and so does a runner that ended badly without saying why.
 */
export function readReport(text: string | undefined, code: number, root: string): Report {
  const parsed = text === undefined ? undefined : reportShape.safeParse(JSON.parse(text)).data;
  if (!parsed)
    return { counts: { passed: 0, failed: 1, skipped: 0 }, failed: ["the test runner left no report"], skipped: [] };
  const failed: string[] = [];
  const skipped: string[] = [];
  let passed = 0;
  for (const file of parsed.testResults) {
    const path = relative(root, file.name);
    const before = failed.length;
    for (const { fullName, status } of file.assertionResults) {
      if (status === "passed") passed++;
      else if (status === "failed") failed.push(`${path} › ${fullName}`);
      else skipped.push(`${path} › ${fullName}`);
    }
    if (file.status === "failed" && failed.length === before) {
      failed.push(`${path} › ${file.message?.split("\n")[0] || "could not be run"}`);
    }
  }
  if (code !== 0 && failed.length === 0) failed.push(`the test runner ended with code ${code}; its words are above`);
  return { counts: { passed, failed: failed.length, skipped: skipped.length }, failed, skipped };
}
