import type { GraphNode } from "./order.ts";

/** Which steps may begin now. Every step leaves it once: by `take`, `failed` or `clear`. */
export interface StepQueue<S extends GraphNode> {
  /** The first in the list of those that wait for nothing any more. */
  take(): S | undefined;
  /** A step that was taken has succeeded: others may wait for one less. */
  succeeded(step: S): void;
  /** A step that was taken has failed: returns all that waited for it, directly or over others; they have left. */
  failed(step: S): readonly S[];
  /** Returns all that are left; they have left. */
  clear(): readonly S[];
}

/** The steps must form a graph without a cycle (see `order`). */
export function makeQueue<S extends GraphNode>(steps: readonly S[]): StepQueue<S> {
  const left = new Map<S, { missing: number; readonly index: number }>();
  const followers = new Map<string, S[]>();
  /** Sorted by place in the list, the first last. */
  const ready: S[] = [];
  const indexOf = (step: S) => left.get(step)?.index ?? 0;

  const makeReady = (step: S) => {
    const index = indexOf(step);
    let at = ready.length;
    while (at > 0 && indexOf(ready[at - 1] ?? step) < index) at--;
    ready.splice(at, 0, step);
  };

  steps.forEach((step, index) => {
    const before = new Set(step.after);
    left.set(step, { missing: before.size, index });
    for (const id of before) {
      const known = followers.get(id);
      if (known) known.push(step);
      else followers.set(id, [step]);
    }
  });
  for (const step of steps.toReversed()) if (left.get(step)?.missing === 0) ready.push(step);

  return {
    take() {
      const step = ready.pop();
      if (step) left.delete(step);
      return step;
    },
    succeeded({ id }) {
      for (const follower of followers.get(id) ?? []) {
        const entry = left.get(follower);
        if (!entry) continue;
        entry.missing--;
        if (entry.missing === 0) makeReady(follower);
      }
    },
    failed(step) {
      const gone: S[] = [];
      const spread = [step];
      for (let at = spread.pop(); at; at = spread.pop()) {
        for (const follower of followers.get(at.id) ?? []) {
          if (!left.delete(follower)) continue;
          gone.push(follower);
          spread.push(follower);
        }
      }
      return gone;
    },
    clear() {
      const rest = [...left.keys()];
      left.clear();
      ready.length = 0;
      return rest;
    },
  };
}
