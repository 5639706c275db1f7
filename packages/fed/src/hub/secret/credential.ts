import { Fault } from "#base/fault.ts";
import type { Origin } from "#hub/event/verbs.ts";
import type { WireCredential } from "#wire/fleet.ts";
import { bindKey, forgetUnused, type Keyring, type KeyringNeeds, requireUnlocked } from "./keyring.ts";
import { type Place, seal, unseal } from "./seal.ts";
import { deleteSealed, findSealed, type SealedRow, saveSealed, selectSealed } from "./store.ts";

/** Which secret is meant: of one machine, or of all when `machine` is left out. */
export interface CredentialName {
  readonly name: string;
  readonly machine?: string | undefined;
}

export interface Credentials {
  /** Names only. */
  list(): readonly WireCredential[];
  /** In the place of what had its name. Fault `conflict` while the vault is locked: nothing may be lost that could still be saved. */
  set(origin: Origin, wanted: CredentialName, value: string): Promise<void>;
  /** Fault `missing` for what is not there, `conflict` while the vault is locked. */
  remove(origin: Origin, wanted: CredentialName): Promise<void>;
  /** Whether there is one for this machine alone; it need not open. */
  hasOwn(machine: string, name: string): boolean;
  /**
   * The machine's own, else the one for all, with how it is called; undefined when there is neither. Fault `conflict` when it is there
   * and cannot be opened.
   */
  reveal(machine: string, name: string): Revealed | undefined;
}

/** A secret in the clear: it goes to who needs it, and nowhere else. */
export interface Revealed {
  readonly value: string;
  /** What it is called, for messages. */
  readonly from: string;
}

const mostCredentials = 1_000;

export function openCredentials(needs: KeyringNeeds, ring: Keyring): Credentials {
  const { db, events, clock } = needs;
  return {
    list: () =>
      selectSealed(db).map((row) => ({
        name: row.name,
        ...(row.scope === "" ? {} : { machine: row.scope }),
        ...{ setMs: row.setMs, setBy: row.setBy },
        ...(ring.state.kind === "open" && row.keyId === ring.state.key.id ? {} : { lost: true }),
      })),
    set: (origin, wanted, value) =>
      ring.inTurn(async () => {
        const place = placeOf(wanted);
        if (findSealed(db, place) === undefined && selectSealed(db).length >= mostCredentials) {
          throw new Fault("limited", `the vault holds ${mostCredentials} secrets, and no more`, {
            hint: "`fed credential list` shows them; remove what nobody needs.",
          });
        }
        const key = await ring.forUse();
        const nowMs = clock.nowMs();
        const row = { ...place, keyId: key.id, sealed: seal(key, place, value), setMs: nowMs, setBy: origin.actor };
        events.deed(origin, (tx, emit) => {
          bindKey(tx, key, nowMs);
          saveSealed(tx, row);
          forgetUnused(tx);
          emit(`credential:${textOf(place)}`, { type: "credential.set" });
        });
        needs.onChange();
      }),
    remove: (origin, wanted) =>
      ring.inTurn(async () => {
        requireUnlocked(ring.state);
        const place = placeOf(wanted);
        if (findSealed(db, place) === undefined) {
          throw new Fault("missing", `the vault has no ${textOf(place)}`, {
            hint: "`fed credential list` shows what it has.",
          });
        }
        events.deed(origin, (tx, emit) => {
          deleteSealed(tx, place);
          forgetUnused(tx);
          emit(`credential:${textOf(place)}`, { type: "credential.removed" });
        });
        needs.onChange();
      }),
    hasOwn: (machine, name) => findSealed(db, { scope: machine, name }) !== undefined,
    reveal(machine, name) {
      const row = findSealed(db, { scope: machine, name }) ?? findSealed(db, { scope: "", name });
      if (row === undefined) return undefined;
      const value = open(row, ring);
      needs.redactor.know(textOf(row), value);
      return { value, from: `the vault's ${textOf(row)}` };
    },
  };
}

function open(row: SealedRow, { state }: Keyring): string {
  const what = `the vault's ${textOf(row)} cannot be opened`;
  const anew = `Set it anew: fed credential set ${row.name}${row.scope === "" ? "" : ` --machine ${row.scope}`}`;
  if (state.kind === "locked") throw new Fault("conflict", `${what}: ${state.reason}`, { hint: state.hint });
  if (state.kind === "empty" || row.keyId !== state.key.id) {
    throw new Fault("conflict", `${what}: it was sealed by ${row.keyId}, which is lost`, {
      hint: `${anew}. With the recovery sheet of that key: \`fed key restore SHEET\`.`,
    });
  }
  const value = unseal(state.key, row, row.sealed);
  if (value !== undefined) return value;
  throw new Fault("conflict", `${what}: it was changed in the database, or is damaged`, { hint: anew });
}

const placeOf = ({ name, machine = "" }: CredentialName): Place => ({ scope: machine, name });

/** `ssh-key`, `node5/ssh-key`. */
const textOf = ({ scope, name }: Place) => (scope === "" ? name : `${scope}/${name}`);
