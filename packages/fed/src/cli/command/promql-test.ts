import { evaluateForScript } from "#engine/promql/script-evaluate.ts";
import { runScript, type ScriptReport } from "#engine/promql/script-run.ts";
import { defineCommand } from "../command.ts";
import type { Screen, Span } from "../print.ts";
import { findScripts } from "../script-file.ts";
import { openScriptStore } from "../script-store.ts";

export const command = defineCommand({
  args: {
    script: {
      kind: "file",
      many: true,
      description: "A file, a folder (each .test and .txt below it), a pattern such as 'a/*.test', or - for stdin",
    },
  },
  flags: {
    thorough: {
      kind: "switch",
      description: "Ask each instant query in more ways that must yield the same: in a range, and pinned to its moment",
    },
  },
  details: [
    "Runs test scripts in the language with which Prometheus tests its engine: load series, eval queries, compare.",
    "The series go into a store as the hub has it, in a folder for temporary files that is removed in the end.",
    "Cases that need native histograms or experimental functions are left out, and named; they are not in the total.",
    "Ends with 1 when a case fails. Needs no hub.",
  ],
  examples: [
    { line: "fed promql test rules.test", says: "run one script" },
    { line: "fed promql test scripts/ --json", says: "all of a folder, as data" },
    { line: "fed promql test - < rules.test", says: "from stdin" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const reports: NamedReport[] = [];
    const scripts = await findScripts(args.script, env.cwd, process.stdin);
    const store = await openScriptStore();
    try {
      const needs = { evaluate: evaluateForScript, store, thorough: flags.thorough, signal };
      for (const script of scripts) {
        reports.push({ file: script.name, ...(await runScript(await script.read(), needs)) });
      }
    } finally {
      await store.close();
    }
    const sum = (count: "passed" | "total") => reports.reduce((all, report) => all + report[count], 0);
    const [passed, total] = [sum("passed"), sum("total")];
    if (screen.json) screen.data({ passed, total, files: reports });
    else show(screen, reports, passed, total);
    return passed === total ? 0 : 1;
  },
});

interface NamedReport extends ScriptReport {
  readonly file: string;
}

function show(screen: Screen, reports: readonly NamedReport[], passed: number, total: number): void {
  const rows = reports.map((one): readonly Span[] => [
    one.file,
    { text: String(one.passed), style: one.passed === one.total ? "good" : "bad" },
    String(one.total),
  ]);
  if (rows.length > 1)
    rows.push(["all", { text: String(passed), style: passed === total ? "good" : "bad" }, String(total)]);
  const number = { align: "right" } as const;
  screen.table({ columns: [{ title: "FILE" }, { title: "PASSED", ...number }, { title: "TOTAL", ...number }], rows });
  showFailures(screen, reports);
  if (reports.some(({ leftOut }) => leftOut.length > 0)) screen.line();
  for (const { file, leftOut } of reports) {
    for (const { line, query, words } of leftOut) {
      screen.line({ text: `left out ${file}:${line}  ${query}  (${words})`, style: "dim" });
    }
  }
}

/** `failed a.test:12  query`, and the difference below. */
function showFailures(screen: Screen, reports: readonly NamedReport[]): void {
  if (reports.some(({ failures }) => failures.length > 0)) screen.line();
  for (const { file, failures } of reports) {
    for (const { line, query, words } of failures) {
      const place = { text: `${file}:${line}`, style: "strong" } as const;
      screen.line({ text: "failed ", style: "bad" }, place, query === "" ? "" : `  ${query}`);
      for (const part of words.split("\n")) screen.line("  ", part);
    }
  }
}
