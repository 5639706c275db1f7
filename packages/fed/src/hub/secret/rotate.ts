import { Fault } from "#base/fault.ts";
import type { Tx } from "#disk/sqlite.ts";
import type { Origin } from "#hub/event/verbs.ts";
import { forgetUnused, type Keyring, type KeyringNeeds, requireUnlocked } from "./keyring.ts";
import { type MasterKey, makeMasterKey, readMasterKey } from "./master-key.ts";
import { type Place, seal, sealProof, unseal } from "./seal.ts";
import { recoverySheet } from "./sheet-text.ts";
import {
  countSealed,
  deleteKey,
  insertKey,
  resealValue,
  saveSealed,
  selectKeys,
  selectSealed,
  selectValues,
} from "./store.ts";
import { isKey } from "./vault.ts";
import { placeOfValue } from "./version.ts";

export interface MasterKeys {
  /**
   * Seals everything by a new key, in one transaction. Killed at any point, the next start finds the key that fits by its id. Fault
   * `conflict` when there is nothing to rotate, or a secret that does not open.
   */
  rotate(origin: Origin): Promise<{ readonly from: string; readonly to: string; readonly secrets: number }>;
  /** The key as a text to print and to lock away: a secret. */
  sheet(origin: Origin): { readonly id: string; readonly text: string };
  /** Takes the key of a sheet: what is sealed by it opens again. */
  restore(origin: Origin, text: string): Promise<{ readonly id: string; readonly secrets: number }>;
  /** A new key in the place of one that is lost. What was sealed by that is kept. */
  startOver(origin: Origin): Promise<{ readonly to: string; readonly kept: number }>;
}

export function openMasterKeys(needs: KeyringNeeds, ring: Keyring): MasterKeys {
  return {
    rotate: (origin) => ring.inTurn(() => rotate(needs, ring, origin)),
    sheet(origin) {
      const { state } = ring;
      requireUnlocked(state);
      if (state.kind === "empty") throw nothingSealed();
      needs.events.deed(origin, (_tx, emit) => emit("vault", { type: "key.shown", id: state.key.id }));
      return { id: state.key.id, text: recoverySheet(state.key, state.from, needs.clock.nowMs()) };
    },
    restore: (origin, text) => ring.inTurn(() => restore(needs, ring, origin, text)),
    startOver: (origin) => ring.inTurn(() => startOver(needs, ring, origin)),
  };
}

async function rotate(needs: KeyringNeeds, ring: Keyring, origin: Origin) {
  const { db, events, clock, files, trace } = needs;
  const { state } = ring;
  requireUnlocked(state);
  if (state.kind === "empty" || selectKeys(db).length === 0) throw nothingSealed();
  const { key: from } = state;
  const to = state.from === "file" ? makeMasterKey() : nextOfEnvironment(ring, from);
  if (state.from === "file") {
    await keepInPlace(files, from);
    await files.writeNext(to);
  }
  let secrets: number;
  try {
    secrets = events.deed(origin, (tx, emit) => {
      const resealed = reseal(tx, from, to);
      deleteKey(tx, from.id);
      insertKey(tx, { id: to.id, proof: sealProof(to) }, clock.nowMs());
      emit("vault", { type: "key.rotated", from: from.id, to: to.id, secrets: resealed });
      return resealed;
    });
  } catch (thrown) {
    // A commit that failed may have come to be all the same: the key that the rows say is theirs is never dropped.
    if (state.from === "file" && selectKeys(db)[0]?.id === from.id) await files.dropNext();
    throw thrown;
  }
  ring.become({ kind: "open", key: to, from: state.from, next: state.from === "environment" });
  if (state.from === "file") {
    await files.takeNext().catch((thrown) => {
      trace.error("the new master key stays in master.key.next until fed starts again", { reason: String(thrown) });
    });
  }
  return { from: from.id, to: to.id, secrets };
}

/** Where the rotation before could not rename its file, `master.key.next` is all there is of the key in use: it is not written over. */
async function keepInPlace(files: KeyringNeeds["files"], key: MasterKey): Promise<void> {
  const there = await files.read();
  if (there.kind === "key" && there.key.id === key.id) return;
  await files.setAside();
  await files.write(key);
}

function nextOfEnvironment({ found }: Keyring, from: MasterKey): MasterKey {
  const next = found.environmentNext;
  if (next.kind === "key" && next.key.id !== from.id) return next.key;
  const what = {
    none: "no FED_KEY_NEXT",
    unreadable: "a FED_KEY_NEXT that is no master key",
    key: "a FED_KEY_NEXT that is the key in use",
  }[next.kind];
  throw new Fault("conflict", `the master key comes from FED_KEY, and fed was started with ${what}`, {
    hint: "Start fed with FED_KEY and, as FED_KEY_NEXT, a new one (`openssl rand -base64 32`), run `fed key rotate`, then start it with the new one as FED_KEY alone.",
  });
}

/** Everything that `from` sealed is sealed by `to`; answers how much. */
function reseal(tx: Tx, from: MasterKey, to: MasterKey): number {
  let secrets = 0;
  const anew = (place: Place, sealed: Uint8Array) => {
    const text = unseal(from, place, sealed);
    if (text === undefined) throw damaged(place);
    secrets++;
    return { keyId: to.id, sealed: seal(to, place, text) };
  };
  for (const row of selectSealed(tx)) {
    if (row.keyId === from.id) saveSealed(tx, { ...row, ...anew(row, row.sealed) });
  }
  for (const row of selectValues(tx)) {
    const { sealed } = row;
    if (sealed && row.keyId === from.id) resealValue(tx, { ...row, ...anew(placeOfValue(row), sealed) });
  }
  return secrets;
}

function damaged({ scope, name, version }: Place): Fault {
  const of = scope === "" ? name : `${scope}/${name}`;
  const [what, verb] = version === undefined ? [of, "credential"] : [`${of} (version ${version})`, "secret"];
  return new Fault(
    "conflict",
    `the vault's ${what} was changed in the database, or is damaged: nothing was sealed anew`,
    { hint: `Set it anew or remove it (fed ${verb}), then try again.` },
  );
}

async function restore(needs: KeyringNeeds, ring: Keyring, origin: Origin, text: string) {
  const { db, events, files } = needs;
  const key = readMasterKey(text);
  const keys = selectKeys(db);
  const row = keys.find((one) => isKey(key, one));
  if (row === undefined) {
    throw new Fault("conflict", `this is ${key.id}, and nothing in the vault is sealed by it`, {
      hint: keys.length === 0 ? "Nothing is sealed yet." : `The vault needs ${keys.map(({ id }) => id).join(" or ")}.`,
    });
  }
  if (row.id !== keys[0]?.id) return reopen(needs, ring, origin, key);
  const secrets = countSealed(db).get(key.id) ?? 0;
  if (ring.found.environment.kind !== "none") {
    if (ring.state.kind === "open") return { id: key.id, secrets };
    throw new Fault("conflict", "fed was started with another FED_KEY, and that counts", {
      hint: "Start it with the lines of this sheet as FED_KEY, or without FED_KEY and restore again.",
    });
  }
  const before = await files.read();
  if (before.kind !== "key" || before.key.id !== key.id) {
    await files.setAside();
    await files.write(key);
  }
  if (ring.state.kind === "open") return { id: key.id, secrets };
  ring.become({ kind: "open", key, from: "file", next: false });
  events.note(origin, "vault", { type: "key.restored", id: key.id, secrets });
  return { id: key.id, secrets };
}

/** What an older key sealed, before it was lost, is sealed by the one of now. */
async function reopen(needs: KeyringNeeds, { state }: Keyring, origin: Origin, older: MasterKey) {
  requireUnlocked(state);
  if (state.kind === "empty") throw nothingSealed();
  const { key } = state;
  const secrets = needs.events.deed(origin, (tx, emit) => {
    const resealed = reseal(tx, older, key);
    deleteKey(tx, older.id);
    emit("vault", { type: "key.restored", id: older.id, secrets: resealed });
    return resealed;
  });
  needs.onChange();
  return { id: older.id, secrets };
}

async function startOver(needs: KeyringNeeds, ring: Keyring, origin: Origin) {
  const { events, clock, files } = needs;
  const { state, found } = ring;
  if (state.kind !== "locked") {
    throw new Fault("conflict", "the master key is not lost", {
      hint: "`fed key rotate` makes a new one and seals everything by it.",
    });
  }
  const from = found.environment.kind === "none" ? "file" : "environment";
  if (found.environment.kind === "unreadable") {
    throw new Fault("conflict", state.reason, { hint: "Start fed with a FED_KEY that is one, or without." });
  }
  const to = found.environment.kind === "key" ? found.environment.key : makeMasterKey();
  if (from === "file") {
    await files.setAside();
    await files.writeNext(to);
  }
  const kept = events.deed(origin, (tx, emit) => {
    // One that was lost before and is back is the newest again.
    deleteKey(tx, to.id);
    insertKey(tx, { id: to.id, proof: sealProof(to) }, clock.nowMs());
    forgetUnused(tx);
    const lost = [...countSealed(tx)].reduce((sum, [id, count]) => (id === to.id ? sum : sum + count), 0);
    emit("vault", { type: "key.startedOver", from: state.id, to: to.id, kept: lost });
    return lost;
  });
  ring.become({ kind: "open", key: to, from, next: false });
  if (from === "file") await files.takeNext();
  return { to: to.id, kept };
}

function nothingSealed(): Fault {
  return new Fault("conflict", "there is no master key yet: nothing was ever sealed", {
    hint: "It is made with the first secret: `fed credential set ssh-key --file FILE`.",
  });
}
