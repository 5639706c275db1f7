import { intervalOf, type MachineDocument } from "@fed/lab";
import type { MachineMode } from "#wire/machine.ts";

/** Who is in the fleet, and how the hub learns of it. */
export interface Member {
  readonly document: MachineDocument;
  readonly mode: MachineMode;
  readonly origin: "lab" | "added";
  /** Between two ticks. */
  readonly intervalMs: number;
}

/** A machine that is in the fleet without standing in the lab file. */
export interface Added {
  readonly mode: "ssh" | "push";
  readonly document: MachineDocument;
}

/** The fleet by name: the machines of the lab, and those that were added. */
export type Fleet = ReadonlyMap<string, Member>;

/** One that stands in the lab file, too, is as the lab says; only that it reports by itself is not the lab's to say. */
export function fleetOf(lab: Readonly<Record<string, MachineDocument>>, added: ReadonlyMap<string, Added>): Fleet {
  const fleet = new Map<string, Member>();
  for (const [name, document] of Object.entries(lab)) {
    const pushes = added.get(name)?.mode === "push" && document.address !== "local";
    fleet.set(name, member(document, pushes ? "push" : document.address === "local" ? "local" : "ssh", "lab"));
  }
  for (const [name, { document, mode }] of added) {
    if (!Object.hasOwn(lab, name)) fleet.set(name, member(document, mode, "added"));
  }
  return fleet;
}

/** Those that were added and that the lab takes over: what was added is not remembered beside it. */
export function takenOver(
  lab: Readonly<Record<string, MachineDocument>>,
  added: ReadonlyMap<string, Added>,
): readonly string[] {
  return [...added].flatMap(([name, { mode }]) => (mode === "ssh" && Object.hasOwn(lab, name) ? [name] : []));
}

function member(document: MachineDocument, mode: MachineMode, origin: Member["origin"]): Member {
  return { document, mode, origin, intervalMs: intervalOf(document) };
}

/** Whether the hub learns of both in the same way at the same place; what one says is then what the other one said. */
export function isSamePlace(one: Member, other: Member): boolean {
  return one.mode === other.mode && (one.mode !== "ssh" || placeOf(one.document) === placeOf(other.document));
}

const sshPort = 22;

function placeOf(machine: MachineDocument): string {
  const tailscale = machine.kind === "workstation" ? machine.tailscale : undefined;
  return `${machine.address ?? tailscale ?? ""} ${machine.port ?? sshPort} ${machine.jump ?? ""}`;
}

/** Whether what answers at this URL is the machine itself. */
export function isAt(machine: MachineDocument, url: string): boolean {
  const tailscale = machine.kind === "workstation" ? machine.tailscale : undefined;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return host !== "" && [machine.address, tailscale].some((name) => name?.toLowerCase() === host);
}
