import { diff } from "./diff.ts";
import type { Action, Desired, DesiredService, Hold, ObservedInstance, SpecFields } from "./plan.ts";

/**
 * Scripts: what a plan must be, as text. A case begins with `== name`; then
 *
 *     wish prod/blog b2; replicas 2; needs prod/db; stop first: it has port 80; only port; held 4 s after 3; LOG=debug
 *     spec a1 LOG=info                                    what an earlier spec was made from
 *     have i1 prod/blog a1 0 running healthy routed       an instance; `exited: exit code 1` for one that ended
 *     plan                                                and, line by line, what must come out:
 *       prod/blog switch b2 (not i1) <- prod/blog check b2 | the new release takes over
 *       note prod/web waits for prod/db, which is not healthy
 */
export interface ScriptCase {
  readonly name: string;
  readonly given: readonly string[];
  readonly expected: readonly string[];
}

export function readCases(text: string): readonly ScriptCase[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const lines = part.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
      const [name = "", ...rest] = lines.map((line) => line.trim());
      const at = rest.indexOf("plan");
      return { name, given: rest.slice(0, at), expected: rest.slice(at + 1) };
    });
}

/** The plan of a case, as lines like those of its script. */
export function runCase({ given }: ScriptCase): readonly string[] {
  const services: DesiredService[] = [];
  const earlier: Record<string, SpecFields> = {};
  const instances: ObservedInstance[] = [];
  for (const line of given) {
    const [verb, ...words] = line.split(" ");
    const rest = words.join(" ");
    if (verb === "wish") services.push(readWish(rest));
    else if (verb === "spec") earlier[words[0] ?? ""] = readFields(words.slice(1));
    else if (verb === "have") instances.push(readInstance(rest));
    else throw new Error(`no script line begins with "${verb}"`);
  }
  const desired: Desired = { hash: "wish", services, earlier };
  const { steps, notes } = diff(desired, { instances }, { hash: () => "seen", nowMs: 0 });
  const lines = steps.map(({ id, action, after, reason }) => {
    const before = after.length === 0 ? "" : ` <- ${after.join(", ")}`;
    return `${id}${detailOf(action)}${before} | ${reason}`;
  });
  return [...lines, ...notes.map((note) => `note ${note}`)];
}

function detailOf(action: Action): string {
  if (action.kind !== "check" && action.kind !== "switch") return "";
  const not = action.except.length === 0 ? [] : [`not ${action.except.join(" ")}`];
  const parts = action.kind === "check" && action.atLeast > 1 ? [`at least ${action.atLeast}`, ...not] : not;
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function readWish(text: string): DesiredService {
  const [head = "", ...clauses] = text.split("; ");
  const [key = "", spec = ""] = head.split(" ");
  let wish: DesiredService = { key, spec, fields: {}, replicas: 1, needs: [] };
  for (const clause of clauses) {
    const [word = "", ...rest] = clause.split(" ");
    if (word === "replicas") wish = { ...wish, replicas: Number(rest[0]) };
    else if (word === "needs") wish = { ...wish, needs: rest };
    else if (word === "only") wish = { ...wish, exclusive: rest };
    else if (word === "stop") wish = { ...wish, stopFirst: clause.slice("stop first: ".length) };
    else if (["held", "gave", "waits", "unseen:"].includes(word)) wish = { ...wish, hold: readHold(clause) };
    else wish = { ...wish, fields: readFields([word, ...rest]) };
  }
  return wish;
}

/** "held 4 s after 3", "gave up after 1: not healthy within 60 s", "waits for its image", "unseen: is on node5, which is away". */
function readHold(clause: string): Hold {
  if (clause.startsWith("waits")) return { kind: "waits", why: clause };
  if (clause.startsWith("unseen: ")) return { kind: "unseen", why: clause.slice("unseen: ".length) };
  const [, seconds, crashes = "0"] = /^held (\d+) s after (\d+)$/.exec(clause) ?? [];
  if (seconds !== undefined) return { kind: "backOff", untilMs: Number(seconds) * 1_000, crashes: Number(crashes) };
  const [, failures = "0", last = ""] = /^gave up after (\d+): (.*)$/.exec(clause) ?? [];
  return { kind: "gaveUp", crashes: Number(failures), last };
}

function readFields(words: readonly string[]): SpecFields {
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

function readInstance(text: string): ObservedInstance {
  const [head = "", exit] = text.split(": ");
  const [id = "", service = "", spec = "", replica, state, ...flags] = head.split(" ");
  const health = flags.find((flag) => flag === "healthy" || flag === "unhealthy") ?? "unknown";
  if (state !== "running" && state !== "exited") throw new Error(`an instance runs or has exited, not "${state}"`);
  const known = ["healthy", "unhealthy", "unknown", "routed", "unseen"];
  for (const flag of flags) if (!known.includes(flag)) throw new Error(`no instance is "${flag}"`);
  const routed = flags.includes("routed");
  return {
    id,
    service,
    spec,
    replica: Number(replica),
    state,
    health: health as ObservedInstance["health"],
    routed,
    exit,
    ...(flags.includes("unseen") ? { unseen: true } : {}),
  };
}
