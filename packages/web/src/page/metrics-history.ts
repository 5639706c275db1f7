import { useSyncExternalStore } from "react";

/** The queries that were run last on this device, the newest first. */

const key = "fed.queries";
const most = 30;
const listeners = new Set<() => void>();
let current = read();

function read(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

export function noteQuery(text: string): void {
  if (text.trim() === "") return;
  set([text, ...current.filter((one) => one !== text)].slice(0, most));
}

export function forgetQueries(): void {
  set([]);
}

function set(next: readonly string[]): void {
  current = next;
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // It holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function useQueryHistory(): readonly string[] {
  return useSyncExternalStore(listen, () => current);
}
