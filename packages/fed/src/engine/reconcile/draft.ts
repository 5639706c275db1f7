import type { Action, Step } from "./plan.ts";

/** A plan in the making: collects steps under stable ids. */
export interface Draft {
  /** Adds a step and returns its id. */
  add(action: Action, reason: string, after: readonly string[]): string;
  note(text: string): void;
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

export function makeDraft(): Draft {
  const steps: Step[] = [];
  const notes: string[] = [];
  const ids = new Set<string>();
  return {
    steps,
    notes,
    add(action, reason, after) {
      const base = stepId(action);
      let id = base;
      for (let n = 2; ids.has(id); n++) id = `${base} (${n})`;
      ids.add(id);
      steps.push({ id, action, reason, after: [...new Set(after)] });
      return id;
    },
    note: (text) => void notes.push(text),
  };
}

function stepId(action: Action): string {
  switch (action.kind) {
    case "start":
      return `start ${action.service} ${action.replica} ${action.spec.slice(0, 7)}`;
    case "check":
      return `check ${action.service} ${action.spec.slice(0, 7)}`;
    case "switch":
      return `switch ${action.service} ${action.spec?.slice(0, 7) ?? "off"}`;
    default:
      return `${action.kind} ${action.service} ${action.instance}`;
  }
}
