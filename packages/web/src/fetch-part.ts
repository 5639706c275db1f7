import { lazyRouteComponent } from "@tanstack/react-router";

const firstWaitMs = 500;
const longestWaitMs = 5_000;

interface FetchPartNeeds {
  /** Whether the hub can be asked at all. */
  isThere(): Promise<boolean>;
  pause(ms: number): Promise<void>;
}

const real: FetchPartNeeds = {
  isThere: () =>
    fetch("/health").then(
      () => true,
      () => false,
    ),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * A part of the window, fetched when it is wanted. While the hub is away it is waited for, and what is shown stays; a hub
 * that is there but has other parts is a newer one, and whoever asked hears of it.
 */
export async function fetchPart<T>(load: () => Promise<T>, { isThere, pause }: FetchPartNeeds = real): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    try {
      return await load();
    } catch (thrown) {
      if (await isThere()) throw asPartMissing(thrown);
      await pause(waitMs);
    }
  }
}

/**
 * The router loads the window anew, once, when a script of a part does not come; so it is to be when its styles do not: the network
 * changed under it, say, as with each network of an engine on the same machine.
 */
function asPartMissing(thrown: unknown): unknown {
  const message = thrown instanceof Error ? thrown.message : "";
  if (!message.startsWith("Unable to preload CSS")) return thrown;
  return new TypeError(`Failed to fetch dynamically imported module: ${message}`, { cause: thrown });
}

/** A component of such a part; `preload` fetches it ahead. */
export function lazyPart<T extends Record<string, unknown>, K extends keyof T>(load: () => Promise<T>, name: K) {
  return lazyRouteComponent(() => fetchPart(load), name);
}
