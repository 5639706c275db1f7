import { Fault } from "#base/fault.ts";
import type { RoomWatch } from "./room.ts";

/** Where the hub is in its life. */
export type Phase = "starting" | "ready" | "stopping";

/** Fault `unreachable` while the hub can take no wishes: it starts or stops, or cannot write. */
export function requireReady(phase: Phase, room: RoomWatch): void {
  if (phase !== "ready") throw new Fault("unreachable", `the hub is ${phase}`, { hint: "Ask again in a moment." });
  if (room.full === undefined) return;
  throw new Fault("unreachable", `the disk of ${room.full.folder} is full`, {
    hint: "Make room: what runs goes on, and writing resumes by itself.",
    details: { diskFull: room.full.folder },
  });
}
