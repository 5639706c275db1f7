import { systemClock, withDeadline } from "#base/clock.ts";
import { defineCommand } from "../command.ts";
import type { Env } from "../env.ts";
import { type Ask, askMachine, type Finding, type Question, questions } from "../finding.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen, Span } from "../print.ts";

const limitMs = 5_000;

export const command = defineCommand({
  args: {},
  flags: { data: hubFlags.data },
  details: ["Ends with 0 unless something is missing without which nothing works. Changes nothing."],
  examples: [
    { line: "fed doctor", says: "look at this machine" },
    { line: "fed doctor --data /srv/fed", says: "look at another data folder" },
  ],
  async run({ flags, env, screen, signal }) {
    const seen = { ...env, dataFolder: flags.data ?? env.dataFolder };
    const findings = await examine(questions, askMachine(seen), seen, signal);
    const lacks = findings.some(({ question, finding }) => question.required && finding.kind !== "found");
    if (screen.json) {
      const found = findings.map(({ question: { name, feature, required }, finding }) => ({
        name,
        feature,
        required,
        ...finding,
      }));
      screen.data({ ok: !lacks, findings: found });
    }
    show(screen, findings);
    return lacks ? 4 : 0;
  },
});

interface Examined {
  readonly question: Question;
  readonly finding: Finding;
}

/** Asks all side by side; one that does not answer in time is missing, with the reason as its hint. */
export function examine(
  asked: readonly Question[],
  ask: Ask,
  env: Env,
  signal: AbortSignal,
): Promise<readonly Examined[]> {
  return Promise.all(
    asked.map(async (question) => {
      const work = (both: AbortSignal) => question.find(ask, env, both);
      try {
        return { question, finding: await withDeadline(systemClock, limitMs, question.name, work, signal) };
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        const hint = thrown instanceof Error ? thrown.message : String(thrown);
        return { question, finding: { kind: "missing", hint } as const };
      }
    }),
  );
}

function show(screen: Screen, findings: readonly Examined[]): void {
  screen.table({
    columns: [{ title: "" }, { title: "WHAT" }, { title: "FOUND" }, { title: "FOR" }],
    rows: findings.map(({ question, finding }) => [
      markOf(question, finding),
      question.name,
      finding.kind === "missing" ? "" : finding.what,
      question.feature,
    ]),
  });
  const lacking = findings.filter(({ finding }) => finding.kind !== "found");
  if (lacking.length > 0) screen.line();
  for (const { question, finding } of lacking) {
    if (finding.kind !== "found") screen.line({ text: `${question.name}: `, style: "strong" }, finding.hint);
  }
}

function markOf(question: Question, finding: Finding): Span {
  if (finding.kind === "found") return { text: "ok", style: "good" };
  const word = finding.kind === "poor" ? "poor" : "missing";
  return { text: word, style: question.required ? "bad" : "warn" };
}
