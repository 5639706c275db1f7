import { Fault, isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { WireRollout, WireRolloutItem, WireRolloutStep } from "#wire/release.ts";
import { tookText } from "./moment.ts";
import type { Screen, Style } from "./print.ts";

export const stateStyles: Readonly<Record<WireRollout["state"], Style>> = {
  preparing: "accent",
  rolling: "accent",
  done: "good",
  failed: "bad",
  cancelled: "warn",
};

/** Tells of a rollout that has begun; with `wait` until it has ended. The exit code: 1 when it came to nothing. */
export async function showBegun(
  { client, screen, signal }: { readonly client: Client; readonly screen: Screen; readonly signal: AbortSignal },
  rollout: WireRollout,
  wait: boolean,
): Promise<number> {
  if (wait) return follow(client, screen, rollout, signal);
  if (screen.json) screen.data(rollout);
  const key = `${rollout.environment}/${rollout.service}`;
  if (rollout.state === "done" || rollout.state === "failed") return showEnd(screen, rollout);
  screen.line(`${begunText(rollout)}; fed releases ${key} shows how far it is`);
  return 0;
}

function begunText({ cause, release, promotedFrom, environment, service }: WireRollout): string {
  const key = `${environment}/${service}`;
  if (cause === "rollback") return `${key} goes back to release ${release?.number ?? "?"}`;
  if (promotedFrom !== undefined) return `${key} gets the image that serves in ${promotedFrom}`;
  return `${cause === "restart" ? "restarting" : "deploying"} ${key}`;
}

/** Steps and lines as they come. Fault `unreachable` when the hub is gone before the end: that is not the end of the rollout. */
async function follow(client: Client, screen: Screen, begun: WireRollout, signal: AbortSignal): Promise<number> {
  let last = begun;
  try {
    for await (const one of seen(client.stream(api.followRollout, { id: begun.id }, signal), screen)) last = one;
  } catch (thrown) {
    if (isFault(thrown) && thrown.code === "unreachable") throw lostSight(begun, thrown.message, thrown);
    throw thrown;
  }
  if (isOpen(last)) throw lostSight(begun, "the hub tells no more");
  return showEnd(screen, last);
}

const isOpen = ({ state }: WireRollout) => state === "preparing" || state === "rolling";

/** A second try would begin another one. */
function lostSight({ environment, service }: WireRollout, what: string, cause?: Fault): Fault {
  const key = `${environment}/${service}`;
  return new Fault("unreachable", `${what}; the rollout of ${key} has not ended`, {
    hint: `It goes on without this command, and after a restart of the hub: fed releases ${key} shows how far it is.`,
    cause,
  });
}

/** Shows what comes, each step and reason to wait once; hands on how the rollout stands. */
async function* seen(items: AsyncIterable<WireRolloutItem>, screen: Screen): AsyncIterable<WireRollout> {
  const shown = new Map<string, WireRolloutStep["state"]>();
  let waits: string | undefined;
  for await (const item of items) {
    if (screen.json) screen.data(item);
    if (item.kind === "line") {
      screen.line({ text: `  ${item.text}`, style: "dim" });
      continue;
    }
    const { rollout } = item;
    if (rollout.waits !== undefined && rollout.waits !== waits)
      screen.line({ text: "! ", style: "warn" }, `it ${rollout.waits}`);
    waits = rollout.waits;
    for (const step of rollout.steps) {
      const key = `${step.id} ${step.startedMs}`;
      if (shown.get(key) === step.state) continue;
      shown.set(key, step.state);
      showStep(screen, step);
    }
    yield rollout;
  }
}

function showStep(screen: Screen, { state, text, tookMs = 0, reason = "" }: WireRolloutStep): void {
  if (state === "done")
    screen.line({ text: "✓ ", style: "good" }, text, { text: `  ${tookText(tookMs)}`, style: "dim" });
  if (state === "failed") screen.line({ text: "✗ ", style: "bad" }, `${text}: ${reason}`);
}

function showEnd(screen: Screen, rollout: WireRollout): number {
  const { state, release, before, reason, output, beganMs, endedMs = beganMs } = rollout;
  const key = `${rollout.environment}/${rollout.service}`;
  if (state === "done") {
    const text = reason === "" ? `release ${release?.number ?? "?"} of ${key} serves` : `${key}: ${reason}`;
    screen.line({ text, style: "good" }, { text: `  ${tookText(endedMs - beganMs)}`, style: "dim" });
    return 0;
  }
  const what = release === undefined ? "the next release" : `release ${release.number}`;
  const how = state === "cancelled" ? "was cancelled" : "failed";
  screen.line({ text: `${what} of ${key} ${how}`, style: stateStyles[state] }, reason === "" ? "" : `: ${reason}`);
  for (const line of output === "" ? [] : output.trimEnd().split("\n"))
    screen.line({ text: `  ${line}`, style: "dim" });
  if (before !== undefined) screen.line(`release ${before.number} serves as before`);
  return 1;
}
