import type { Users } from "./verbs.ts";

/** Forgets expired links, sessions and tokens. */
export function sweepLoop(users: Users) {
  return {
    name: "user.sweep",
    intervalMs: 600_000,
    jitter: 0.1,
    timeoutMs: 10_000,
    run: async () => users.sweep(),
  };
}
