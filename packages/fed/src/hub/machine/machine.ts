import type { MachineDocument } from "@fed/lab";
import { unreachable } from "#base/unreachable.ts";
import type { MachineFacts, MachineState, WireMachine, WireProblem } from "#wire/machine.ts";
import { isSamePlace, type Member } from "./member.ts";
import { problemsAfter, type Telling, wordsOf } from "./problem.ts";
import { type Told, tallyOf } from "./told.ts";

/** What is known of a machine from looking at it. Plain data. */
export interface Observed {
  readonly state: MachineState;
  /** Since when it is in this state; milliseconds since the epoch, as all times here. */
  readonly sinceMs: number;
  /** When it answered last; undefined: never. */
  readonly seenMs: number | undefined;
  /** How long its last answer took. */
  readonly latencyMs: number | undefined;
  /** Intervals without an answer, in a row. */
  readonly missed: number;
  /** Answers without a problem, in a row, as far as they count. */
  readonly sound: number;
  /** Why it is in this state, in plain words; "" when there is nothing to say. */
  readonly detail: string;
  /** What about it cannot be told, by collector. */
  readonly problems: readonly WireProblem[];
}

/** What came of one look. */
export type Look =
  | { readonly kind: "answered"; readonly tookMs: number | undefined; readonly detail: string }
  | { readonly kind: "silent"; readonly reason: string };

/** What was seen at one look. */
export interface Seen {
  readonly look: Look;
  /** What the machine said. */
  readonly reading?: { readonly facts?: MachineFacts } & Told;
  /** Which of its collectors work. */
  readonly telling?: Telling;
  /** Each collector was asked since the hub began: one that failed before works if it did not fail now. Left out: they were. */
  readonly complete?: boolean;
}

/** What is to be known of a machine to judge it. */
export interface Judged {
  readonly kind: MachineDocument["kind"];
  /** Under maintenance: nothing becomes worse. */
  readonly maintained: boolean;
}

/** So many intervals without an answer in a row, and it is not there: one lost packet is no news. */
const missedToGone = 3;
/** So many answers without a problem in a row, and it is degraded no more: else a flickering one would be news all the time. */
const soundToOnline = 3;

export function neverSeen(nowMs: number): Observed {
  return {
    ...{ state: "unknown", sinceMs: nowMs, seenMs: undefined, latencyMs: undefined, missed: 0, sound: 0 },
    ...{ detail: "not looked at yet", problems: [] },
  };
}

/** How it is after one more look. A workstation that does not answer is away, which is nobody's alarm. */
export function lookedAt(
  before: Observed,
  judged: Judged,
  { look, telling, complete = true }: Seen,
  nowMs: number,
): Observed {
  switch (look.kind) {
    case "answered": {
      const problems = telling ? problemsAfter(before.problems, telling, nowMs) : before.problems;
      const sound = problems.length === 0 && complete ? before.sound + 1 : 0;
      const seen = { ...before, problems, sound, seenMs: nowMs, latencyMs: look.tookMs ?? before.latencyMs, missed: 0 };
      return inState(seen, answeringState(seen), judged, look.detail, nowMs);
    }
    case "silent": {
      const missed = before.missed + 1;
      const gone = judged.kind === "server" ? "offline" : "away";
      const after = { ...before, missed, detail: look.reason };
      if (missed < missedToGone && before.state !== gone) return after;
      return inState({ ...after, latencyMs: undefined, sound: 0 }, gone, judged, look.reason, nowMs);
    }
    default:
      return unreachable(look);
  }
}

/** How it is after somebody else has told whether something about it works (an exporter, say). */
export function reviewed(before: Observed, judged: Judged, telling: Telling, nowMs: number): Observed {
  const problems = problemsAfter(before.problems, telling, nowMs);
  if (problems === before.problems) return before;
  const after = { ...before, problems, sound: 0 };
  const answers = before.state === "online" || before.state === "degraded";
  return answers ? inState(after, answeringState(after), judged, "", nowMs) : after;
}

/** How it is when its maintenance ends: whether it is there is asked anew. */
export function releasedFrom(before: Observed): Observed {
  return { ...before, missed: 0 };
}

/** Whether its series have ended, whatever is told of its state. */
export function isGone({ missed }: Pick<Observed, "missed">): boolean {
  return missed >= missedToGone;
}

function answeringState({ state, problems, sound }: Observed): MachineState {
  if (problems.length > 0) return "degraded";
  return state === "degraded" && sound < soundToOnline ? "degraded" : "online";
}

const ranks: Readonly<Record<MachineState, number>> = { online: 0, degraded: 1, unknown: 2, away: 3, offline: 3 };

function inState(seen: Observed, found: MachineState, judged: Judged, detail: string, nowMs: number): Observed {
  const state = judged.maintained && ranks[found] > ranks[seen.state] ? seen.state : found;
  const words = state === "degraded" && found === "degraded" ? wordsOf(seen.problems) : detail;
  return {
    ...{ ...seen, state, sinceMs: state === seen.state ? seen.sinceMs : nowMs },
    detail: state === "degraded" && words === "" ? "what failed works again; it is watched for a moment" : words,
  };
}

/** A start is told to about a second, and moves as clocks are set right; a machine takes longer than this to start again. */
const bootedToleranceMs = 5_000;

/** What is known of the machine itself after it was asked: `before` itself when it says nothing new. */
export function factsAfter(before: MachineFacts | undefined, said: MachineFacts | undefined): MachineFacts | undefined {
  if (before === undefined || said === undefined) return said ?? before;
  const keys = Object.keys({ ...before, ...said }) as (keyof MachineFacts)[];
  const moved = keys.some((key) => key !== "bootedMs" && before[key] !== said[key]);
  return moved || Math.abs(said.bootedMs - before.bootedMs) > bootedToleranceMs ? said : before;
}

/** While somebody works on a machine. */
export interface Maintenance {
  readonly sinceMs: number;
  /** Left out: until it is ended. */
  readonly untilMs?: number;
  readonly reason: string;
}

/** A machine of the fleet, and what is known of it. */
export interface Known {
  readonly member: Member;
  readonly observed: Observed;
  readonly facts: MachineFacts | undefined;
  readonly maintenance: Maintenance | undefined;
  readonly told: Told;
}

/** Whether what is known of the one holds for the other: the same kind of machine, at the same place. */
function isSame(before: Member, after: Member): boolean {
  return before.document.kind === after.document.kind && isSamePlace(before, after);
}

/** What the hub remembers over its own end. */
export interface Remembered extends Pick<Observed, "state" | "sinceMs" | "seenMs"> {
  readonly kind: MachineDocument["kind"];
  readonly facts: MachineFacts | undefined;
  readonly maintenance: Maintenance | undefined;
}

/**
 * What is known of a machine as the fleet has it now: what was, for as long as it is the same machine at the same place. Where it
 * was is not remembered: a hub that starts takes it for unmoved until it has looked.
 */
export function knownOf(
  member: Member,
  now: Known | undefined,
  remembered: Remembered | undefined,
  nowMs: number,
): Known {
  if (now && isSame(now.member, member)) return { ...now, member };
  const fresh = { member, observed: neverSeen(nowMs), facts: undefined, told: {} };
  if (now || remembered?.kind !== member.document.kind) return { ...fresh, maintenance: now?.maintenance };
  const { state, sinceMs, seenMs, facts, maintenance } = remembered;
  return { ...fresh, observed: { ...fresh.observed, state, sinceMs, seenMs }, facts, maintenance };
}

/** As the wire has it. */
export function show(
  name: string,
  { member, observed, facts, maintenance, told }: Known,
  more: { readonly services: readonly string[]; readonly hostKey: WireMachine["hostKey"] },
): WireMachine {
  const { document, mode, origin, intervalMs } = member;
  const { state, detail, sinceMs, seenMs, latencyMs, problems } = observed;
  const tailscale = document.kind === "workstation" ? document.tailscale : undefined;
  return {
    name,
    kind: document.kind,
    ...((document.address ?? "") === "" ? {} : { address: document.address }),
    ...(tailscale === undefined ? {} : { tailscale }),
    ...(document.port === undefined ? {} : { port: document.port }),
    ...(document.user === undefined ? {} : { user: document.user }),
    labels: { ...document.labels },
    ...{ mode, origin, intervalMs, state, detail, sinceMs },
    ...(seenMs === undefined ? {} : { seenMs }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(facts === undefined ? {} : { facts }),
    services: [...more.services],
    problems: [...problems],
    ...(maintenance === undefined ? {} : { maintenance: { ...maintenance } }),
    tally: tallyOf(told),
    ...(more.hostKey === undefined ? {} : { hostKey: more.hostKey }),
  };
}
