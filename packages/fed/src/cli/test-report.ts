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

interface FileReport {
  /** Below the root. */
  readonly path: string;
  readonly passed: number;
  /** `path › test`. */
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

export interface Report extends Pick<FileReport, "failed" | "skipped"> {
  readonly counts: Counts;
  readonly files: readonly FileReport[];
}

/**
 * What the tests came to. A file that fails without a failing test of its own (it could not be loaded, a hook threw)
 * counts as one failure, and so does a runner that ended badly without saying why.
 */
export function readReport(text: string | undefined, code: number, root: string): Report {
  const parsed = text === undefined ? undefined : reportShape.safeParse(JSON.parse(text)).data;
  if (!parsed) return reportOf([], ["the test runner left no report"]);
  const files = parsed.testResults.map((file): FileReport => {
    const path = relative(root, file.name);
    const named = (statuses: readonly string[]) =>
      file.assertionResults
        .filter(({ status }) => statuses.includes(status))
        .map(({ fullName }) => `${path} › ${fullName}`);
    const [passed, failed] = [named(["passed"]).length, named(["failed"])];
    if (file.status === "failed" && failed.length === 0)
      failed.push(`${path} › ${file.message?.split("\n")[0] || "could not be run"}`);
    const skipped = file.assertionResults
      .filter(({ status }) => status !== "passed" && status !== "failed")
      .map(({ fullName }) => `${path} › ${fullName}`);
    return { path, passed, failed, skipped };
  });
  const silent = code !== 0 && files.every(({ failed }) => failed.length === 0);
  return reportOf(files, silent ? [`the test runner ended with code ${code}; its words are above`] : []);
}

function reportOf(files: readonly FileReport[], more: readonly string[] = []): Report {
  const failed = [...files.flatMap((file) => file.failed), ...more];
  const skipped = files.flatMap((file) => file.skipped);
  const passed = files.reduce((sum, file) => sum + file.passed, 0);
  return { counts: { passed, failed: failed.length, skipped: skipped.length }, failed, skipped, files };
}

/** Files are run again only when they are few: many that fail have a common cause, and that is no chance. */
const secondLookLimit = 6;
/** Tests that start real programs, engines and browsers, which other tests get in the way of; those of our own code do not depend on that. */
const startsPrograms = /^(?:test|packages\/fed\/src\/(?:adapter|port))\//;

/** Which files are worth to be run once more, alone. */
export function worthSecondLook({ files }: Report): readonly string[] {
  const failed = files.filter((file) => file.failed.length > 0).map(({ path }) => path);
  return failed.length > secondLookLimit ? [] : failed.filter((path) => startsPrograms.test(path));
}

/** What the tests came to when some files were run once more; `unsteady`: what failed first and then passed. */
export function withSecondLook(
  first: Report,
  second: Report,
): { readonly report: Report; readonly unsteady: readonly string[] } {
  const again = new Map(second.files.map((file) => [file.path, file]));
  const known = new Set(first.files.flatMap((file) => file.failed));
  const ownWords = first.failed.filter((name) => !known.has(name));
  const moreWords = second.failed.filter((name) => !second.files.some(({ failed }) => failed.includes(name)));
  const report = reportOf(
    first.files.map((file) => again.get(file.path) ?? file),
    [...ownWords, ...moreWords],
  );
  return { report, unsteady: first.failed.filter((name) => !report.failed.includes(name)) };
}
