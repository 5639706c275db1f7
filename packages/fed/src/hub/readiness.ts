import { Fault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";

/** Where the hub is in its life. */
export type Phase = "starting" | "ready" | "stopping";

/** Fault `unreachable` while the hub can take no wishes: it starts or stops, or cannot write. */
export function requireReady(phase: Phase, db: Database): void {
  if (phase !== "ready") throw new Fault("unreachable", `the hub is ${phase}`, { hint: "Ask again in a moment." });
  db.tx((tx) => tx.run("UPDATE event_base SET id = id"));
}
