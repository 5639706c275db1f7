import { api } from "@fed/fed/wire/api.ts";
import { machineTickShape } from "@fed/fed/wire/machine.ts";
import { useEffect, useState, useSyncExternalStore } from "react";

/** Ticks of machines as they come. While the page listens to one machine, that one ticks every second. */
export interface Ticks {
  /** Of a machine's last tick; undefined before the first. */
  lastOf(machine: string): number | undefined;
  /** `atMs` of each tick. */
  listen(listener: (atMs: number) => void): () => void;
}

const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/** Listens while somebody looks: a hidden page makes no machine tick faster and holds no connection. */
function openTicks(machine: string | undefined) {
  const listeners = new Set<(atMs: number) => void>();
  const last = new Map<string, number>();
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = firstWaitMs;

  function close(): void {
    source?.close();
    source = undefined;
    clearTimeout(timer);
    timer = undefined;
  }

  function open(): void {
    close();
    if (document.visibilityState === "hidden") return;
    const opened = new EventSource(
      api.watchMachines.path + (machine === undefined ? "" : `?machine=${encodeURIComponent(machine)}`),
    );
    source = opened;
    opened.onopen = () => {
      waitMs = firstWaitMs;
    };
    opened.onmessage = ({ data }) => {
      const tick = machineTickShape.safeParse(JSON.parse(data as string)).data;
      if (tick) take(tick.machine, tick.atMs);
    };
    opened.onerror = () => {
      // A browser tries again by itself after a lost connection, but not after an answer it did not like.
      if (opened !== source || opened.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(longestWaitMs, waitMs * 2);
    };
  }

  function take(name: string, atMs: number): void {
    last.set(name, Math.max(last.get(name) ?? 0, atMs));
    for (const listener of listeners) listener(atMs);
  }

  const ticks: Ticks = {
    lastOf: (name) => last.get(name),
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
  return {
    ticks,
    start() {
      open();
      document.addEventListener("visibilitychange", open);
      return () => {
        document.removeEventListener("visibilitychange", open);
        close();
      };
    },
  };
}

/** Ticks of one machine, or of all. */
export function useTicks(machine?: string): Ticks {
  const [opened] = useState(() => openTicks(machine));
  useEffect(() => opened.start(), [opened]);
  return opened.ticks;
}

/** When a machine was seen last: what the hub said with its list, or a tick since. */
export function useSeenMs(ticks: Ticks, machine: string, saidMs: number | undefined): number | undefined {
  const tickMs = useSyncExternalStore(ticks.listen, () => ticks.lastOf(machine));
  return tickMs === undefined ? saidMs : Math.max(tickMs, saidMs ?? 0);
}
