import type { Progress } from "#wire/progress.ts";
import type { Screen } from "./print.ts";

/** What a step does, in the words of a progress line. */
function textOf(action: Extract<Progress, { kind: "started" }>["step"]["action"]): string {
  switch (action.kind) {
    case "start":
      return `start ${action.service} (replica ${action.replica})`;
    case "check":
      return `wait until ${action.service} is healthy`;
    case "switch":
      return action.spec === undefined
        ? `send ${action.service} no requests`
        : `send requests to the new ${action.service}`;
    default:
      return `${action.kind} ${action.service} (instance ${action.instance.slice(-5)})`;
  }
}

/** Shows a stream of progress; the exit code is 0 when nothing was left undone. */
export async function showProgress(screen: Screen, stream: AsyncIterable<Progress>): Promise<number> {
  let code = 0;
  let steps = 0;
  const told = new Set<string>();
  for await (const one of stream) {
    if (screen.json) screen.data(one);
    switch (one.kind) {
      case "succeeded":
        steps++;
        screen.line({ text: "✓ ", style: "good" }, textOf(one.step.action), {
          text: `  ${one.tookMs.toFixed(0)} ms`,
          style: "dim",
        });
        break;
      case "failed":
        code = 1;
        screen.line({ text: "✗ ", style: "bad" }, textOf(one.step.action), `: ${one.reason}`);
        break;
      case "rollout":
        if (one.state === "failed") {
          code = 1;
          const what = one.number === undefined ? "its next release" : `release ${one.number}`;
          screen.line({ text: "✗ ", style: "bad" }, `${one.service}: ${what} failed: ${one.reason}`);
          for (const line of one.output.split("\n").filter(Boolean)) screen.line({ text: `  ${line}`, style: "dim" });
        }
        break;
      case "line":
        screen.line({ text: `  ${one.service}  ${one.text}`, style: "dim" });
        break;
      case "settling":
        for (const note of one.notes) if (!told.has(note)) screen.line({ text: `… ${note}`, style: "dim" });
        for (const note of one.notes) told.add(note);
        break;
      case "settled":
        for (const note of one.unfinished) screen.line({ text: "! ", style: "warn" }, note);
        if (one.unfinished.length > 0) code = 1;
        if (code === 0 && steps === 0 && one.unfinished.length === 0) screen.line("nothing to do");
        break;
      default:
        break;
    }
  }
  return code;
}
