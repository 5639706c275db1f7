import type { Plan, Step } from "./plan.ts";
import { count } from "./reason.ts";

/** "nothing to do", or "2 services change: 2 to start, 1 to stop". */
export function planSummary(plan: Plan): string {
  if (plan.steps.length === 0) return "nothing to do";
  const services = new Set(plan.steps.map(({ action }) => action.service));
  const number = (kind: Step["action"]["kind"]) => plan.steps.filter(({ action }) => action.kind === kind).length;
  const parts = [`${number("start")} to start`, `${number("stop")} to stop`].filter((part) => !part.startsWith("0 "));
  const what = `${count(services.size, "service")} ${services.size === 1 ? "changes" : "change"}`;
  return parts.length === 0 ? what : `${what}: ${parts.join(", ")}`;
}

/** A step in plain words, without its service. */
export function actionText(action: Step["action"]): string {
  switch (action.kind) {
    case "start":
      return `start replica ${action.replica}`;
    case "check":
      return "wait until healthy";
    case "switch":
      return action.spec === undefined ? "send it no requests" : "send it the requests";
    default:
      return `${action.kind} ${action.instance}`;
  }
}

/** The whole plan as lines. Pure, without colour. */
export function planText(plan: Plan): string {
  const lines = [planSummary(plan)];
  for (const [service, steps] of Map.groupBy(plan.steps, ({ action }) => action.service)) {
    lines.push("", service);
    for (const step of steps) lines.push(`  ${actionText(step.action).padEnd(38)} ${step.reason}`.trimEnd());
  }
  if (plan.notes.length > 0) lines.push("", ...plan.notes.map((note) => `note: ${note}`));
  return `${lines.join("\n")}\n`;
}
