import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { type Credentials, openCredentials, type Revealed } from "./credential.ts";
import { type GivenKeys, type KeyringNeeds, openKeyring } from "./keyring.ts";
import { type MasterKeys, openMasterKeys } from "./rotate.ts";

export type { GivenKeys, Revealed };

/** Something about the vault that people must know, with what to do. */
export interface VaultTrouble {
  readonly sinceMs: number;
  readonly message: string;
  readonly hint: string;
}

/** Secrets at rest, sealed by a master key that is not in the database. */
export interface Vault extends Credentials, MasterKeys {
  readonly trouble: VaultTrouble | undefined;
}

/** Opens also when the key is lost: then it says so, and opens nothing until that is settled. */
export async function openVault(needs: KeyringNeeds): Promise<Vault> {
  const ring = await openKeyring(needs);
  const openedMs = needs.clock.nowMs();
  return {
    ...openCredentials(needs, ring),
    ...openMasterKeys(needs, ring),
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

/**
 * The value of a secret: the file `secrets/NAME` of the data folder, without its last newline. The value goes to the
 * instance that needs it and nowhere else.
 */
export async function readSecret(dataFolder: string, name: string): Promise<string> {
  const path = join(dataFolder, "secrets", name);
  const text = await readFileIfThere(path);
  if (text === undefined) {
    throw new Fault("missing", `secret ${name} has no value on this hub`, {
      hint: `Write it to ${path} (mode 0600), then run \`fed apply\`.`,
    });
  }
  return text.replace(/\r?\n$/, "");
}
