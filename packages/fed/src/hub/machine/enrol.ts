import type { MachineDocument } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import type { Fleet } from "./member.ts";

/** Somebody to take into the fleet who does not stand in the lab file. */
export interface Newcomer {
  readonly name: string;
  readonly kind: MachineDocument["kind"];
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
}

export function addressOf(document: MachineDocument): string {
  return document.address ?? "";
}

export function requireAddable(name: string, fleet: Fleet): void {
  const there = fleet.get(name);
  if (!there) return;
  throw new Fault("conflict", `the fleet has a machine ${name} already`, {
    hint:
      there.origin === "lab"
        ? "It stands in the lab file: choose another name, or change it there."
        : `Choose another name, or remove it first: fed machine remove ${name}`,
  });
}

/** A machine of the lab is the lab's to remove; that it reports by itself is not. */
export function requireRemovable(name: string, fleet: Fleet): void {
  const member = fleet.get(name);
  if (member?.origin !== "lab" || member.mode === "push") return;
  throw new Fault("conflict", `${name} stands in the lab file`, { hint: `Take it out of the lab file: fed follows.` });
}
