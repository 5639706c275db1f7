import { Fault } from "#base/fault.ts";
import type { Writing } from "./db/writing.ts";
import type { RoomWatch } from "./room.ts";

/** Where the hub is in its life. */
export type Phase = "starting" | "ready" | "stopping";

/** Fault `unreachable` while the hub can take no wishes: it starts or stops, or cannot write. Anybody may hear it: no paths. */
export function requireReady(phase: Phase, room: RoomWatch, writing: Writing): void {
  if (phase !== "ready") throw new Fault("unreachable", `the hub is ${phase}`, { hint: "Ask again in a moment." });
  if (writing.stopped !== undefined) {
    throw new Fault("unreachable", "the hub's database is damaged, so nothing is written to it any more", {
      hint: "What runs goes on. `fed status` on the hub's machine says how to come back.",
    });
  }
  if (room.full === undefined) return;
  throw new Fault("unreachable", "the hub's disk is full", {
    hint: "Make room: what runs goes on, and writing resumes by itself.",
  });
}
