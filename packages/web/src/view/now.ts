import { useSyncExternalStore } from "react";

/** One clock per pace for the whole page, however many times are shown; it stands still while nobody looks. */
interface Pace {
  readonly listeners: Set<() => void>;
  nowMs: number;
  timer: ReturnType<typeof setInterval> | undefined;
}

const paces = new Map<number, Pace>();

function paceOf(everyMs: number): Pace {
  const known = paces.get(everyMs);
  if (known) return known;
  const made: Pace = { listeners: new Set(), nowMs: Date.now(), timer: undefined };
  paces.set(everyMs, made);
  return made;
}

function listen(everyMs: number, listener: () => void): () => void {
  const pace = paceOf(everyMs);
  pace.listeners.add(listener);
  pace.timer ??= setInterval(() => {
    pace.nowMs = Date.now();
    for (const one of pace.listeners) one();
  }, everyMs);
  return () => {
    pace.listeners.delete(listener);
    if (pace.listeners.size > 0) return;
    clearInterval(pace.timer);
    pace.timer = undefined;
  };
}

/** The time, again and again. */
export function useNow(everyMs: number): number {
  return useSyncExternalStore(
    (listener) => listen(everyMs, listener),
    () => {
      const pace = paceOf(everyMs);
      if (pace.timer === undefined && Math.abs(Date.now() - pace.nowMs) > everyMs) pace.nowMs = Date.now();
      return pace.nowMs;
    },
  );
}
