import type { LabDocument } from "@fed/lab";
import type { Reader, Tx } from "#disk/sqlite.ts";
import { withDoors } from "./door.ts";
import { referredServices } from "./resolve.ts";
import type { ResolvedService } from "./service.ts";
import { insertDoor, type SpecRow, saveSpec, selectDoors, selectSpecs, trimSpecs } from "./store.ts";

/** The doors of every service others refer to: those handed out before, and new ones for the rest. Writes nothing. */
export function chooseDoors(db: Reader, document: LabDocument, seed: number): ReadonlyMap<string, number> {
  return withDoors(selectDoors(db), referredServices(document), seed);
}

/** Records the doors that were chosen, so that they stay the same over releases and restarts. */
export function handOutDoors(tx: Tx, doors: ReadonlyMap<string, number>): void {
  const known = selectDoors(tx);
  for (const [key, port] of doors) if (!known.has(key)) insertDoor(tx, key, port);
}

/** Remembers what the specs were made from. */
export function rememberSpecs(tx: Tx, services: readonly ResolvedService[], nowMs: number): void {
  for (const { spec, key, fields, contract } of services) {
    saveSpec(tx, { hash: spec, service: key, fields, contract }, nowMs);
  }
  trimSpecs(tx);
}

/** Every remembered spec, by hash. */
export function rememberedSpecs(db: Reader): Map<string, SpecRow> {
  return new Map(selectSpecs(db).map((row) => [row.hash, row]));
}
