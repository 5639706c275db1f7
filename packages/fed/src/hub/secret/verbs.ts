import { type Credentials, openCredentials, type Revealed } from "./credential.ts";
import { type GivenKeys, openKeyring } from "./keyring.ts";
import { type MasterKeys, openMasterKeys } from "./rotate.ts";
import { knowAll, openValues, type ValueNeeds, type Values } from "./value.ts";

export type { GivenKeys, Revealed, Values };

/** Something about the vault that people must know, with what to do. */
export interface VaultTrouble {
  readonly sinceMs: number;
  readonly message: string;
  readonly hint: string;
}

/** Secrets at rest, sealed by a master key that is not in the database. */
export interface Vault extends Credentials, MasterKeys {
  /** Of the lab's secrets. */
  readonly values: Values;
  readonly trouble: VaultTrouble | undefined;
}

/** Opens also when the key is lost: then it says so, and opens nothing until that is settled. */
export async function openVault(needs: ValueNeeds): Promise<Vault> {
  const ring = await openKeyring(needs);
  const openedMs = needs.clock.nowMs();
  const keys = openMasterKeys(needs, ring);
  return {
    ...openCredentials(needs, ring),
    ...keys,
    async restore(origin, text) {
      const restored = await keys.restore(origin, text);
      knowAll(needs, ring);
      return restored;
    },
    values: openValues(needs, ring),
    get trouble() {
      const { state, lockedMs } = ring;
      if (state.kind === "locked") {
        return { sinceMs: lockedMs ?? openedMs, message: `the vault is locked: ${state.reason}`, hint: state.hint };
      }
      if (state.kind !== "open" || state.from !== "environment" || !state.next) return undefined;
      return {
        sinceMs: openedMs,
        message: `the vault is sealed by ${state.key.id}, which is FED_KEY_NEXT`,
        hint: "Start fed with it as FED_KEY, and without FED_KEY_NEXT.",
      };
    },
  };
}
