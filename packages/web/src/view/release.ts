import type { RolloutCause, RolloutState, WireArtifact, WireRollout, WireRolloutStep } from "@fed/fed/wire/release.ts";
import type { Look } from "./tone.ts";
import { unreachable } from "./unreachable.ts";

/** The words and colours of releases and rollouts. */

const rollouts: Readonly<Record<RolloutState, Look>> = {
  preparing: { word: "preparing", tone: "info", moving: true },
  rolling: { word: "rolling out", tone: "info", moving: true },
  done: { word: "done", tone: "good" },
  failed: { word: "failed", tone: "bad" },
  cancelled: { word: "cancelled", tone: "idle" },
};

export function lookOfRollout(state: RolloutState): Look {
  return rollouts[state];
}

const steps: Readonly<Record<WireRolloutStep["state"], Look>> = {
  running: { word: "under way", tone: "info", moving: true },
  done: { word: "done", tone: "good" },
  failed: { word: "failed", tone: "bad" },
  skipped: { word: "skipped", tone: "idle" },
};

export function lookOfStep(state: WireRolloutStep["state"]): Look {
  return steps[state];
}

/**
 * The steps of the newest try, with how many tries there were before it: one begins with a preparation or a start that was there
 * already. What was broken off and came again stands there once. Pure.
 */
export function lastTryOf(steps: readonly WireRolloutStep[]): {
  readonly steps: readonly WireRolloutStep[];
  readonly earlier: number;
} {
  let last = new Map<string, WireRolloutStep>();
  let earlier = 0;
  for (const step of steps) {
    const before = last.get(step.text);
    if (before && before.state !== "skipped" && /^(prepare|\S+ start) /.test(step.id)) {
      last = new Map();
      earlier++;
    }
    last.delete(step.text);
    last.set(step.text, step);
  }
  return { steps: [...last.values()], earlier };
}

export function isOpen({ state }: Pick<WireRollout, "state">): boolean {
  return state === "preparing" || state === "rolling";
}

/** Why there was a rollout: `by the lab`, `deploy`, `back to release 3`, `promotion from dev`. */
export function causeText({
  cause,
  release,
  promotedFrom,
}: Pick<WireRollout, "cause" | "release" | "promotedFrom">): string {
  if (cause !== "rollback" && promotedFrom !== undefined) return `promotion from ${promotedFrom}`;
  if (cause === "rollback") return release === undefined ? "rollback" : `back to release ${release.number}`;
  return causes[cause];
}

const causes: Readonly<Record<Exclude<RolloutCause, "rollback">, string>> = {
  apply: "change of the lab",
  deploy: "deploy",
  promote: "promotion",
  restart: "restart",
};

/** A rollout in a few words that stand alone. */
export function rolloutText({
  state,
  release,
  cause,
  reason,
}: Pick<WireRollout, "state" | "release" | "cause" | "reason">): string {
  const what = release === undefined ? "The next release" : `Release ${release.number}`;
  switch (state) {
    case "preparing":
      return `${what} is being prepared`;
    case "rolling":
      return `${what} is ${cause === "rollback" ? "coming back" : "being rolled out"}`;
    case "done":
      return release === undefined || reason !== "" ? "Nothing was to be done" : `${what} was rolled out`;
    case "failed":
      return `${what} failed`;
    case "cancelled":
      return `${what} was cancelled`;
    default:
      return unreachable(state);
  }
}

/** What serves after a rollout that did not reach its end; "" while it is under way, and when it did. */
export function aftermathText({ state, before }: Pick<WireRollout, "state" | "before">): string {
  if (state !== "failed" && state !== "cancelled") return "";
  return before === undefined ? "No earlier release serves." : `Release ${before.number} serves as before.`;
}

/** The first letters of an image's id, without the name of the hash: enough to compare by. */
export function shortImage(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

export function shortCommit(commit: string): string {
  const [hash = "", ...marks] = commit.split("-");
  return [hash.slice(0, 8), ...marks].join("-");
}

/** What a release is made of, in a few letters; `title` in full. */
export function artifactText(artifact: WireArtifact): { readonly text: string; readonly title: string } {
  if (artifact.kind === "process") return { text: "process", title: "a process of its machine" };
  const { id, reference, digest, source } = artifact;
  const title = [reference, source === undefined ? undefined : `built from ${source}`, digest, id].filter(Boolean);
  return { text: `image ${shortImage(id)}`, title: title.join(", ") };
}
