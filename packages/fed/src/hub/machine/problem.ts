import type { SectionFailure } from "#port/collector.ts";
import type { WireProblem } from "#wire/machine.ts";

/** What some collectors said of whether they work. */
export interface Telling {
  /** Those that were asked: of the others nothing is known anew. */
  readonly asked: readonly string[];
  /** Those that failed; who was not asked may fail, too. */
  readonly failures: readonly SectionFailure[];
}

const mostReason = 500;
const mostProblems = 100;

/** The problems after that: `before` itself when nothing is new. Each is as old as its collector has had one. */
export function problemsAfter(
  before: readonly WireProblem[],
  { asked, failures }: Telling,
  nowMs: number,
): readonly WireProblem[] {
  if (failures.length === 0 && before.length === 0) return before;
  const found = new Map<string, WireProblem>();
  for (const { section, reason } of failures) {
    const collector = plain(section, 100);
    const sinceMs = before.find((one) => one.collector === collector)?.sinceMs ?? nowMs;
    if (!found.has(collector)) found.set(collector, { collector, reason: plain(reason, mostReason), sinceMs });
  }
  const rest = before.filter(({ collector }) => !found.has(collector) && !asked.includes(collector));
  const after = [...rest, ...found.values()]
    .sort((a, b) => (a.collector < b.collector ? -1 : a.collector > b.collector ? 1 : 0))
    .slice(0, mostProblems);
  const same = after.length === before.length && after.every((one, i) => isSame(one, before[i]));
  return same ? before : after;
}

function isSame(one: WireProblem, other: WireProblem | undefined): boolean {
  return one.collector === other?.collector && one.reason === other.reason;
}

/** One line without control characters: it may come from the machine. */
export function plain(text: string, longest: number): string {
  const line = text
    .slice(0, 4 * longest)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, " ")
    .trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

/** All of them in a few words. */
export function wordsOf(problems: readonly WireProblem[]): string {
  const [first, ...rest] = problems;
  if (first === undefined) return "";
  const more =
    rest.length === 0 ? "" : ` (and ${rest.length} more: ${rest.map(({ collector }) => collector).join(", ")})`;
  return plain(`${first.collector}: ${first.reason}${more}`, mostReason);
}
