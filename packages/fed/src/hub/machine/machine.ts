import type { MachineDocument } from "@fed/lab";
import type { MachineFacts, MachineState, WireMachine } from "#wire/machine.ts";

/** What is known of a machine from looking at it. Plain data. */
export interface Observed {
  readonly state: MachineState;
  /** Since when it is in this state; milliseconds since the epoch, as all times here. */
  readonly sinceMs: number;
  /** When it answered last; undefined: never. */
  readonly seenMs: number | undefined;
  /** How long its last answer took. */
  readonly latencyMs: number | undefined;
  /** Looks without an answer, in a row. */
  readonly missed: number;
  /** Why it is in this state, in plain words; "" when there is nothing to say. */
  readonly detail: string;
}

/** What came of one look. */
export type Look =
  | { readonly kind: "answered"; readonly tookMs: number | undefined; readonly detail: string }
  | { readonly kind: "silent"; readonly reason: string };

/** What was seen at one look; `facts` when the machine said what it is. */
export interface Seen {
  readonly look: Look;
  readonly facts?: MachineFacts;
}

/** So many looks without an answer in a row, and it is not there: one lost packet is no news. */
export const missedToGone = 3;

export function neverSeen(nowMs: number): Observed {
  return {
    state: "unknown",
    sinceMs: nowMs,
    seenMs: undefined,
    latencyMs: undefined,
    missed: 0,
    detail: "not looked at yet",
  };
}

/** How it is after one more look. A workstation that does not answer is away, which is nobody's alarm. */
export function lookedAt(before: Observed, kind: MachineDocument["kind"], look: Look, nowMs: number): Observed {
  if (look.kind === "answered") {
    return {
      state: "online",
      sinceMs: before.state === "online" ? before.sinceMs : nowMs,
      seenMs: nowMs,
      latencyMs: look.tookMs,
      missed: 0,
      detail: look.detail,
    };
  }
  const missed = before.missed + 1;
  const gone = kind === "server" ? "offline" : "away";
  if (missed < missedToGone && before.state !== gone) return { ...before, missed, detail: look.reason };
  return {
    ...before,
    state: gone,
    sinceMs: before.state === gone ? before.sinceMs : nowMs,
    latencyMs: undefined,
    missed,
    detail: look.reason,
  };
}

/** Where to look: `here` for the hub's own machine. */
export type Target = { readonly kind: "here" } | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const sshPort = 22;

export function targetOf(machine: MachineDocument): Target {
  if (machine.address === "local") return { kind: "here" };
  const tailscale = machine.kind === "workstation" ? machine.tailscale : undefined;
  return { kind: "tcp", host: machine.address ?? tailscale ?? "", port: machine.port ?? sshPort };
}

export function isSameTarget(one: Target, other: Target): boolean {
  if (one.kind === "here" || other.kind === "here") return one.kind === other.kind;
  return one.host === other.host && one.port === other.port;
}

/** Whether what is known of the one holds for the other: the same kind of machine, at the same place. */
export function isSame(before: MachineDocument, after: MachineDocument): boolean {
  return before.kind === after.kind && isSameTarget(targetOf(before), targetOf(after));
}

/** A start is told to about a second, and moves as clocks are set right; a machine takes longer than this to start again. */
const bootedToleranceMs = 5_000;

/** What is known of the machine itself after it was asked: `before` itself when it says nothing new. */
export function factsAfter(before: MachineFacts | undefined, said: MachineFacts | undefined): MachineFacts | undefined {
  if (before === undefined || said === undefined) return said ?? before;
  const keys = Object.keys(said) as (keyof MachineFacts)[];
  const moved = keys.some((key) => key !== "bootedMs" && before[key] !== said[key]);
  return moved || Math.abs(said.bootedMs - before.bootedMs) > bootedToleranceMs ? said : before;
}

/** A machine of the lab, and what is known of it. */
export interface Known {
  readonly document: MachineDocument;
  observed: Observed;
  facts: MachineFacts | undefined;
}

/** What the hub remembers over its own end. */
export interface Remembered extends Pick<Observed, "state" | "sinceMs" | "seenMs"> {
  readonly kind: MachineDocument["kind"];
  readonly facts: MachineFacts | undefined;
}

/**
 * What is known of a machine as the lab has it now: what was, for as long as it is the same machine at the same place. Where it
 * was is not remembered: a hub that starts takes it for unmoved until it has looked.
 */
export function knownOf(
  document: MachineDocument,
  now: Known | undefined,
  remembered: Remembered | undefined,
  nowMs: number,
): Known {
  if (now && isSame(now.document, document)) return { ...now, document };
  const fresh = neverSeen(nowMs);
  if (now || remembered?.kind !== document.kind) return { document, observed: fresh, facts: undefined };
  const { state, sinceMs, seenMs, facts } = remembered;
  return { document, observed: { ...fresh, state, sinceMs, seenMs }, facts };
}

/** As the wire has it. */
export function show(name: string, { document, observed, facts }: Known, services: readonly string[]): WireMachine {
  const { state, detail, sinceMs, seenMs, latencyMs } = observed;
  const tailscale = document.kind === "workstation" ? document.tailscale : undefined;
  return {
    name,
    kind: document.kind,
    ...(document.address === undefined ? {} : { address: document.address }),
    ...(tailscale === undefined ? {} : { tailscale }),
    labels: { ...document.labels },
    mode: document.address === "local" ? "local" : "ssh",
    origin: "lab",
    ...{ intervalMs: 10_000, problems: [], tally: {} },
    ...{ state, detail, sinceMs },
    ...(seenMs === undefined ? {} : { seenMs }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(facts === undefined ? {} : { facts }),
    services: [...services],
  };
}
