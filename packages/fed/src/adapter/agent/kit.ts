import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentKit } from "#port/agent.ts";
import type { Collector } from "#port/collector.ts";
import { quoteWord } from "#port/quote.ts";

/** The agent for whatever this collector asks. */
export function makeAgentKit(collector: Collector): AgentKit {
  const [agent, launcher, joining] = ["agent.sh", "run.sh", "join.sh"].map(readText) as [string, string, string];
  const due = dueOf(collector);
  const version = createHash("sha256").update([agent, due, collector.version].join("\n")).digest("hex").slice(0, 16);
  return {
    version,
    join: ({ machine, url, token }) =>
      [
        ...["#!/bin/sh", `# Lets this machine report to fed, as ${machine}.`],
        ...[`machine=${quoteWord(machine)}`, `url=${quoteWord(url)}`, `token=${quoteWord(token)}`],
        ...[textFunction("launcher", launcher), joining],
        // In a function and at the end: a script that comes in half does nothing, and reads nothing of itself.
        "join < /dev/null\n",
      ].join("\n"),
    refuse: (reason, hint) =>
      `#!/bin/sh\nprintf 'fed: %s\\n' ${quoteWord(reason)} >&2\nprintf '  %s\\n' ${quoteWord(hint)} >&2\nexit 1\n`,
    script: (mark) =>
      [
        ...[`#!/bin/sh`, `version=${version}`, textFunction("program", collector.program(mark)), due, agent],
        `# end ${version}\n`,
      ].join("\n"),
  };
}

function readText(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}

/** Slow sections begin when the machine is seen already. */
const fastMs = 60_000;

/** Which sections are due, as words of the collector's program: those of a pace together, by a clock in seconds. */
function dueOf({ sections, ask }: Pick<Collector, "sections" | "ask">): string {
  const paces = Map.groupBy(sections, ({ everyMs }) => Math.ceil(everyMs / 1_000));
  const wordsOf = (pace: number) => {
    const names = paces.get(pace) ?? [];
    return names.length === 0
      ? []
      : ask(
          0,
          names.map(({ name }) => name),
        )
          .trim()
          .split(" ")
          .slice(2);
  };
  const always = wordsOf(0);
  const slow = [...paces.keys()].filter((pace) => pace > 0);
  const begin = slow.map(
    (pace, index) => `  due_${pace}=$((now + ${pace * 1_000 < fastMs ? 5 * index : 20 + 5 * index}))`,
  );
  const look = slow.map((pace) => {
    const words = wordsOf(pace).filter((word) => !always.includes(word));
    return `  if [ "$now" -ge "$due_${pace}" ]; then sections="$sections ${words.join(" ")}" due_${pace}=$((now + ${pace})); fi`;
  });
  return [
    ...["begin_due() {", ...begin, "  :", "}"],
    ...["due() {", `  sections=${quoteWord(always.join(" "))}`, ...look, "}"],
  ].join("\n");
}

/** A function that says a text. */
function textFunction(name: string, text: string): string {
  const end = `END_${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  return `${name}() {\n  cat << '${end}'\n${text}${text.endsWith("\n") ? "" : "\n"}${end}\n}`;
}
