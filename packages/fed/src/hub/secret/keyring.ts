import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Redactor } from "#base/redact.ts";
import type { Trace } from "#base/trace.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import { hubOrigin } from "#hub/event/origin.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { Found, KeyFiles } from "./key-file.ts";
import { type MasterKey, makeMasterKey, readMasterKey } from "./master-key.ts";
import { sealProof } from "./seal.ts";
import { countSealed, deleteKey, insertKey, selectKeys } from "./store.ts";
import { decideKey, type FoundKeys, type VaultState } from "./vault.ts";

/** FED_KEY and FED_KEY_NEXT as they were given: secrets. */
export interface GivenKeys {
  readonly current: string | undefined;
  readonly next: string | undefined;
}

export interface KeyringNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly files: KeyFiles;
  readonly given: GivenKeys;
  /** Hears of every secret that is opened. */
  readonly redactor: Redactor;
  /** Something people see has changed. */
  onChange(): void;
}

/** The master key while the hub runs. One thing at a time is done with it. */
export interface Keyring {
  readonly state: VaultState;
  /** Since when it is locked; undefined while it is not. */
  readonly lockedMs: number | undefined;
  readonly found: Pick<FoundKeys, "environment" | "environmentNext">;
  become(state: Exclude<VaultState, { kind: "locked" }>): void;
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** The key that seals; made at its first use. Fault `conflict` while it is lost. */
  forUse(): Promise<MasterKey>;
}

export async function openKeyring(needs: KeyringNeeds): Promise<Keyring> {
  const { db, files } = needs;
  const environment = readGiven(needs.given.current);
  const environmentNext = readGiven(needs.given.next);
  const found = { environment, environmentNext, file: await files.read(), fileNext: await files.readNext() };
  let state = decideKey(selectKeys(db)[0], found, files.path);
  await tidy(state, found, needs);
  let lockedMs = tellOnce(state, needs);
  let turns: Promise<unknown> = Promise.resolve();
  const become: Keyring["become"] = (next) => {
    [state, lockedMs] = [next, undefined];
    needs.onChange();
  };
  return {
    get state() {
      return state;
    },
    get lockedMs() {
      return lockedMs;
    },
    found,
    become,
    inTurn(work) {
      const turn = turns.then(work);
      turns = turn.catch(() => undefined);
      return turn;
    },
    async forUse() {
      requireUnlocked(state);
      if (state.kind === "open") return state.key;
      const key = makeMasterKey();
      await files.write(key);
      become({ kind: "open", key, from: "file", next: false });
      return key;
    },
  };
}

/** Fault `conflict` while the key is lost, with what to do. */
export function requireUnlocked(state: VaultState): asserts state is Exclude<VaultState, { kind: "locked" }> {
  if (state.kind !== "locked") return;
  throw new Fault("conflict", `the vault is locked: ${state.reason}`, { hint: state.hint });
}

/** That the vault is sealed by this key, once something is. */
export function bindKey(tx: Tx, key: MasterKey, nowMs: number): void {
  if (selectKeys(tx).length === 0) insertKey(tx, { id: key.id, proof: sealProof(key) }, nowMs);
}

/** Keys that were lost are forgotten once nothing is sealed by them any more. */
export function forgetUnused(tx: Tx): void {
  const used = countSealed(tx);
  for (const { id } of selectKeys(tx).slice(1)) if (!used.has(id)) deleteKey(tx, id);
}

function readGiven(text: string | undefined): Found {
  if (text === undefined) return { kind: "none" };
  try {
    return { kind: "key", key: readMasterKey(text) };
  } catch {
    return { kind: "unreadable", reason: "it is no master key" };
  }
}

/** Ends what a rotation that was broken off has left: before its commit nothing had come of it, after it all had. */
async function tidy(state: VaultState, found: FoundKeys, { db, files }: KeyringNeeds): Promise<void> {
  if (state.kind !== "open" || state.from !== "file" || found.fileNext.kind === "none") return;
  if (state.next) await files.takeNext();
  else if (selectKeys(db).length > 0) await files.dropNext();
}

/** A loss is told once, however often the hub starts with it, and so is its end. Answers since when it is lost. */
function tellOnce(state: VaultState, { db, events, clock }: KeyringNeeds): number | undefined {
  const [newest] = events.list({
    types: ["key.lost", "key.restored", "key.startedOver"],
    ...{ subject: "vault", before: undefined, sinceMs: undefined, limit: 1 },
  });
  const lost = newest?.type === "key.lost" ? newest : undefined;
  if (state.kind === "locked") {
    if (lost?.data.id === state.id) return lost.atMs;
    events.note(hubOrigin(clock), "vault", { type: "key.lost", id: state.id, reason: state.reason });
    return clock.nowMs();
  }
  if (state.kind === "open" && lost) {
    const { id } = state.key;
    events.note(hubOrigin(clock), "vault", { type: "key.restored", id, secrets: countSealed(db).get(id) ?? 0 });
  }
  return undefined;
}
