import type { Tone } from "./tone.ts";

export interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly title: string;
  readonly detail?: string | undefined;
}

/** As many as fit beside what people do; the oldest goes first. */
const mostToasts = 4;
/** Bad news stays until it is closed. */
export const toastMs = 6000;

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says what came of a deed, for a short time, wherever the reader is. */
export function toast(message: Omit<Toast, "id">): number {
  const id = nextId++;
  set([...toasts, { ...message, id }].slice(-mostToasts));
  return id;
}

export function dismissToast(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

export function readToasts(): readonly Toast[] {
  return toasts;
}

export function listenToToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
