/** Where Docker and Podman differ although they speak the same API. */

import { containerName, type Draft, dockerBody, podmanBody } from "./create.ts";
import { idLabel } from "./label.ts";

export interface Dialect {
  readonly name: "docker" | "podman";
  /** How a container is made. */
  create(draft: Draft): {
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly body: object;
  };
  /** Which events are asked for; what is not ours is left out in any case. */
  readonly eventFilters: Readonly<Record<string, readonly string[]>>;
  /** Where its output is read. */
  logPath(container: string): string;
  /** `since` for output from a moment on, with some before it; all lines that the engine tells of that moment are in it. */
  logSince(timeNs: bigint): string;
}

const secondNs = 1_000_000_000n;
/** Two streams that are written at once may change places by so much. */
const disorderNs = 10_000_000n;

export const dockerDialect: Dialect = {
  name: "docker",
  create: (draft) => ({
    path: "/containers/create",
    query: { name: containerName(draft.spec) },
    body: dockerBody(draft),
  }),
  eventFilters: { type: ["container"], label: [idLabel], event: ["start", "oom", "die", "destroy", "update"] },
  logPath: (container) => `/containers/${container}/logs`,
  logSince(timeNs) {
    const sinceNs = timeNs - disorderNs;
    return `${sinceNs / secondNs}.${String(sinceNs % secondNs).padStart(9, "0")}`;
  },
};

export const podmanDialect: Dialect = {
  name: "podman",
  create: (draft) => ({ path: "/libpod/containers/create", body: podmanBody(draft) }),
  // A label without a value matches nothing, or not always.
  eventFilters: { type: ["container"] },
  // Docker's path ends a line after each part of a long one.
  logPath: (container) => `/libpod/containers/${container}/logs`,
  // It tells times to the second, and begins behind the one that is asked for.
  logSince: (timeNs) => String(timeNs / secondNs - 1n),
};
