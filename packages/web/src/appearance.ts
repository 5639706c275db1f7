import { useSyncExternalStore } from "react";

/** How the window looks on this device. `public/theme.js` reads the same before the first paint. */
export interface Appearance {
  readonly theme: "system" | "light" | "dark";
  readonly density: "comfortable" | "compact";
}

const key = "fed.appearance";
const usual: Appearance = { theme: "system", density: "comfortable" };
const listeners = new Set<() => void>();
let current = read();

function read(): Appearance {
  try {
    const { theme, density } = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Appearance>;
    return {
      theme: theme === "light" || theme === "dark" ? theme : usual.theme,
      density: density === "compact" ? density : usual.density,
    };
  } catch {
    return usual;
  }
}

export function setAppearance(change: Partial<Appearance>): void {
  current = { ...current, ...change };
  const { dataset } = document.documentElement;
  if (current.theme === "system") delete dataset.theme;
  else dataset.theme = current.theme;
  if (current.density === "comfortable") delete dataset.density;
  else dataset.density = current.density;
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // It holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

export function useAppearance(): Appearance {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => current,
  );
}
