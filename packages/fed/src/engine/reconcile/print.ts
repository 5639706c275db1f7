import { unreachable } from "#base/unreachable.ts";
import type { Action, Plan } from "./plan.ts";
import { count } from "./reason.ts";

/** "nothing to do", or "2 services change: 2 to start, 1 to stop". */
function planSummary(plan: Plan): string {
  if (plan.steps.length === 0) return "nothing to do";
  const services = new Set(plan.steps.map(({ action }) => action.service));
  const number = (kind: Action["kind"]) => plan.steps.filter(({ action }) => action.kind === kind).length;
  const parts = [`${number("start")} to start`, `${number("stop")} to stop`].filter((part) => !part.startsWith("0 "));
  const what = `${count(services.size, "service")} ${services.size === 1 ? "changes" : "change"}`;
  return `${what}: ${parts.length > 0 ? parts.join(", ") : count(plan.steps.length, "step")}`;
}

/** What a step does, in plain words, without its service. */
function actionText(action: Action): string {
  switch (action.kind) {
    case "start":
      return `start replica ${action.replica}`;
    case "check":
      return "wait until healthy";
    case "switch":
      return action.spec === undefined ? "send it no requests" : "send it the requests";
    case "drain":
    case "stop":
    case "remove":
      return `${action.kind} ${action.instance}`;
    default:
      return unreachable(action);
  }
}

/** The whole plan as text: the summary, the steps by service with their reasons, the notes. Pure, without colour. */
export function planText(plan: Plan): string {
  const serviceOf = new Map(plan.steps.map(({ id, action }) => [id, action.service]));
  const lines = [planSummary(plan)];
  const width = Math.max(0, ...plan.steps.map(({ action }) => actionText(action).length));
  for (const [service, steps] of Map.groupBy(plan.steps, ({ action }) => action.service)) {
    const before = steps.flatMap(({ after }) => after.map((id) => serviceOf.get(id) ?? ""));
    const others = [...new Set(before)].filter((key) => key !== service);
    lines.push("", others.length > 0 ? `${service}, after ${others.join(", ")}` : service);
    for (const step of steps) lines.push(`  ${actionText(step.action).padEnd(width)}  ${step.reason}`);
  }
  if (plan.notes.length > 0) lines.push("", ...plan.notes.map((note) => `note: ${note}`));
  return `${lines.join("\n")}\n`;
}
