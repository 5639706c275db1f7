import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { defineCommand } from "../command.ts";
import type { Env } from "../env.ts";
import type { Screen } from "../print.ts";
import { type Counts, type Report, readReport, withSecondLook, worthSecondLook } from "../test-report.ts";

interface Check {
  readonly name: string;
  /** Program in node_modules/.bin, and its words. */
  readonly command: readonly string[];
}

const checks: readonly Check[] = [
  { name: "format and lint", command: ["biome", "ci", "."] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "types of the window", command: ["tsc", "-p", "packages/web"] },
  { name: "types of the example's page", command: ["tsc", "-p", "examples/slice/web"] },
  { name: "unused code", command: ["knip"] },
];

export const command = defineCommand({
  args: {
    filter: { kind: "text", optional: true, many: true, description: "Run only test files whose path contains this" },
  },
  flags: {},
  details: [
    "Checks format, lint, types and unused code, then runs the law of the layers and every other test.",
    "With a filter only the tests run. In CI (CI=true) a skipped test fails the run, and few files that start programs and",
    "fail beside the others are run once more, alone: what passes then is named as unsteady.",
  ],
  examples: [
    { line: "fed test", says: "everything" },
    { line: "fed test layers", says: "the law of the house alone" },
  ],
  async run({ args, env, screen, signal }) {
    const total = { passed: 0, failed: 0, skipped: 0 };
    const filter = args.filter ?? [];
    for (const check of filter.length === 0 ? checks : []) {
      const passed = await runCheck(check, env, screen, signal);
      total[passed ? "passed" : "failed"]++;
    }
    const { report, unsteady } = await runSteadily(filter, env, screen, signal);
    for (const name of unsteady)
      screen.line({ text: "unsteady ", style: "warn" }, name, {
        text: "  failed beside others, passed alone",
        style: "dim",
      });
    for (const name of report.skipped) screen.line({ text: "skipped ", style: "warn" }, name);
    for (const name of report.failed) screen.line({ text: "failed ", style: "bad" }, name);
    const counts = add(total, report.counts);
    if (screen.json) screen.data({ ...counts, failures: report.failed, skips: report.skipped, unsteady });
    const forbidden = env.automated && counts.skipped > 0;
    if (forbidden) screen.line("In CI nothing may be skipped: install what the tests above miss.");
    screen.line(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    return counts.failed > 0 || forbidden || counts.passed === 0 ? 1 : 0;
  },
});

function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

async function runCheck(check: Check, env: Env, screen: Screen, signal: AbortSignal): Promise<boolean> {
  const startedMs = performance.now();
  const { code, output } = await runTool(check.command, env, signal, undefined);
  const took = { text: `  ${((performance.now() - startedMs) / 1000).toFixed(1)} s`, style: "dim" } as const;
  if (code === 0) screen.line({ text: "✓ ", style: "good" }, check.name, took);
  else {
    screen.line({ text: "✗ ", style: "bad" }, check.name, took);
    screen.note(output.trimEnd());
  }
  return code === 0;
}

/** Runs the tests; in CI a few that other tests may have been in the way of once more, alone. */
async function runSteadily(filter: readonly string[], env: Env, screen: Screen, signal: AbortSignal) {
  const report = await runTests(filter, env, screen, signal);
  const again = env.automated ? worthSecondLook(report) : [];
  if (again.length === 0) return { report, unsteady: [] };
  screen.line(`Once more, alone: ${again.join(", ")}`);
  return withSecondLook(report, await runTests(["--maxWorkers=1", ...again], env, screen, signal));
}

/** Runs the tests with their progress on screen and their outcome in a report. */
async function runTests(words: readonly string[], env: Env, screen: Screen, signal: AbortSignal): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "fed-test-"));
  const file = join(folder, "report.json");
  try {
    const report = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { code } = await runTool(["vitest", "run", ...report, ...words], env, signal, (text) =>
      screen.note(text.trimEnd()),
    );
    return readReport(await readFile(file, "utf8").catch(() => undefined), code, env.installation);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs one of the installation's tools to its end; an abort ends it and everything it started. */
function runTool(
  [tool = "", ...words]: readonly string[],
  env: Env,
  signal: AbortSignal,
  onText: ((text: string) => void) | undefined,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(env.installation, "node_modules/.bin", tool), words, {
      cwd: env.installation,
      // The tools begin with `env node`: that must be the Node that runs fed, not an older one.
      env: { ...env.delegated, PATH: [dirname(process.execPath), ...env.path].join(delimiter) },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (onText ? onText(text) : output.push(text)));
    }
    const stop = () => child.pid !== undefined && process.kill(-child.pid, "SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, output: output.join("") });
    });
  });
}
