import { Fault } from "#base/fault.ts";
import { type Place, unseal } from "./seal.ts";
import type { ValueRow } from "./store.ts";
import type { VaultState } from "./vault.ts";

/** Versions of the lab's secrets: which counts where, which may be forgotten, and how one is opened. Pure. */

type Named = Pick<ValueRow, "name" | "environment">;

/** `prod/DB`, `DB` for all environments. */
export function nameText({ name, environment }: Named): string {
  return environment === "" ? name : `${environment}/${name}`;
}

export function placeOfValue({ name, environment, version }: Named & Pick<ValueRow, "version">): Place {
  return { scope: environment, name, version };
}

/** By name: the environment's own newest, else the newest for all, else the file. A removed one leaves its place to the next. */
export function versionsIn(
  environment: string,
  newest: readonly Omit<ValueRow, "sealed">[],
  files: readonly string[],
): ReadonlyMap<string, number> {
  const versions = new Map(files.map((name) => [name, 0]));
  for (const scope of ["", environment]) {
    for (const row of newest) {
      if (row.environment === scope && row.removedMs === undefined) versions.set(row.name, row.version);
    }
  }
  return versions;
}

/** A rollout under way may have chosen a version that was replaced meanwhile. */
const forgetAfterMs = 86_400_000;

/** What was replaced or removed long enough ago; `rows` of each name and environment in the order of their versions. */
export function forgottenOf(rows: readonly ValueRow[], nowMs: number): readonly ValueRow[] {
  return rows.filter((row, at) => {
    const next = rows[at + 1];
    const replaced = next?.name === row.name && next.environment === row.environment ? next.setMs : undefined;
    const endedMs = Math.min(replaced ?? Number.POSITIVE_INFINITY, row.removedMs ?? Number.POSITIVE_INFINITY);
    return endedMs + forgetAfterMs <= nowMs;
  });
}

/** Fault `missing` when it is forgotten, `conflict` when it cannot be opened. */
export function openValue(row: ValueRow, state: VaultState): string {
  const text = nameText(row);
  const what = `version ${row.version} of the secret ${text} cannot be opened`;
  const anew = `Set it anew: fed secret set ${row.name}${row.environment === "" ? "" : ` --env ${row.environment}`}`;
  if (row.sealed === undefined) {
    throw new Fault("missing", `version ${row.version} of the secret ${text} is not kept any more`, {
      hint: "Deploy the service: a new release takes the newest value.",
    });
  }
  if (state.kind === "locked") throw new Fault("conflict", `${what}: ${state.reason}`, { hint: state.hint });
  if (state.kind === "empty" || row.keyId !== state.key.id) {
    throw new Fault("conflict", `${what}: it was sealed by ${row.keyId}, which is lost`, {
      hint: `${anew}. With the recovery sheet of that key: \`fed key restore SHEET\`.`,
    });
  }
  const value = unseal(state.key, placeOfValue(row), row.sealed);
  if (value !== undefined) return value;
  throw new Fault("conflict", `${what}: it was changed in the database, or is damaged`, { hint: anew });
}
