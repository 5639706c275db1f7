import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Progress } from "#wire/progress.ts";
import type { WireRolloutStep } from "#wire/release.ts";

/** What a rollout does and says while it is under way, kept in memory for who looks on. */
export interface Track {
  readonly steps: readonly WireRolloutStep[];
  /** The last lines of builds and pulls. */
  readonly lines: readonly string[];
  /** Why it does not go on now, in plain words; "" while it does. */
  readonly waits: string;
}

export type TrackItem = { readonly kind: "changed" } | { readonly kind: "line"; readonly text: string };

export interface Tracks {
  of(rollout: string): Track;
  /** Runs a piece of work as a step. */
  step<T>(rollout: string, text: string, work: () => Promise<T>): Promise<T>;
  line(rollout: string, text: string): void;
  /** A step of the reconcile loop, for the rollout of its service. */
  progress(rollout: string, progress: Progress): void;
  /** Why it does not go on now; "": it does. */
  wait(rollout: string, why: string): void;
  /** Its row has changed. */
  changed(rollout: string): void;
  /** What comes from this call on (not: from the first `next`), until the signal aborts. */
  read(rollout: string, signal: AbortSignal): AsyncIterable<TrackItem>;
  close(): void;
}

/** Rollouts that are remembered; the oldest go first. */
const keptTracks = 200;
const keptLines = 500;
const keptSteps = 500;
const longestLine = 2_000;
const queueLimit = 5_000;

interface Kept {
  readonly steps: WireRolloutStep[];
  readonly lines: string[];
  waits: string;
}

export function makeTracks(clock: Clock): Tracks {
  const kept = new Map<string, Kept>();
  const news = makeBroadcast<TrackItem & { readonly rollout: string }>(queueLimit);

  const open = (rollout: string): Kept => {
    const found = kept.get(rollout);
    if (found) return found;
    const fresh: Kept = { steps: [], lines: [], waits: "" };
    kept.set(rollout, fresh);
    const [oldest] = kept.keys();
    if (kept.size > keptTracks && oldest !== undefined) kept.delete(oldest);
    return fresh;
  };
  const changed = (rollout: string) => news.send({ kind: "changed", rollout });
  const put = (rollout: string, step: WireRolloutStep) => {
    const { steps } = open(rollout);
    const at = steps.findLastIndex(({ id, state }) => id === step.id && state === "running");
    if (at >= 0) steps[at] = step;
    else steps.push(step);
    if (steps.length > keptSteps) steps.shift();
    changed(rollout);
  };

  return {
    of: (rollout) => kept.get(rollout) ?? { steps: [], lines: [], waits: "" },
    async step(rollout, text, work) {
      const startedMs = clock.nowMs();
      const beganTick = clock.tickMs();
      const step = { id: `prepare ${open(rollout).steps.length + 1}`, text, startedMs };
      const tookMs = () => Math.round(clock.tickMs() - beganTick);
      put(rollout, { ...step, state: "running" });
      try {
        const result = await work();
        put(rollout, { ...step, state: "done", tookMs: tookMs() });
        return result;
      } catch (thrown) {
        put(rollout, { ...step, state: "failed", tookMs: tookMs(), reason: toFault(thrown).message });
        throw thrown;
      }
    },
    line(rollout, text) {
      const cut = text.length > longestLine ? `${text.slice(0, longestLine)}…` : text;
      const { lines } = open(rollout);
      lines.push(cut);
      if (lines.length > keptLines) lines.shift();
      news.send({ kind: "line", rollout, text: cut });
    },
    progress(rollout, progress) {
      const step = stepOf(progress, open(rollout).steps, clock.nowMs());
      if (step) put(rollout, step);
    },
    wait(rollout, why) {
      const track = open(rollout);
      if (track.waits === why) return;
      track.waits = why;
      changed(rollout);
    },
    changed,
    read: (rollout, signal) => only(rollout, news.read(signal)),
    close: () => news.close(),
  };
}

async function* only(rollout: string, items: AsyncIterable<TrackItem & { readonly rollout: string }>) {
  for await (const { rollout: of, ...item } of items) if (of === rollout) yield item;
}

/** A step of the reconcile loop as a step of a rollout; undefined for what is none. */
function stepOf(progress: Progress, known: readonly WireRolloutStep[], nowMs: number): WireRolloutStep | undefined {
  if (!("step" in progress)) return undefined;
  const { id, action } = progress.step;
  const startedMs = known.findLast((one) => one.id === id && one.state === "running")?.startedMs ?? nowMs;
  const base = { id, text: wordsOf(action), startedMs };
  switch (progress.kind) {
    case "started":
      return { ...base, state: "running" };
    case "succeeded":
      return { ...base, state: "done", tookMs: Math.round(progress.tookMs) };
    case "failed":
      return { ...base, state: "failed", tookMs: Math.round(progress.tookMs), reason: progress.reason };
    default:
      return { ...base, state: "skipped", reason: progress.reason };
  }
}

function wordsOf(action: Extract<Progress, { kind: "started" }>["step"]["action"]): string {
  switch (action.kind) {
    case "start":
      return `start replica ${action.replica}`;
    case "check":
      return "wait until it is healthy";
    case "switch":
      return action.spec === undefined ? "send it no requests" : "send requests to the new instances";
    default:
      return `${action.kind} the instance ${action.instance.slice(-5)}`;
  }
}
