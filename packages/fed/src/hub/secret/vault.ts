import type { Found } from "./key-file.ts";
import type { MasterKey } from "./master-key.ts";
import { opensProof } from "./seal.ts";
import type { KeyRow } from "./store.ts";

/** Where the keys may be that a hub starts with. */
export interface FoundKeys {
  /** FED_KEY; where it is set, no file counts. */
  readonly environment: Found;
  /** FED_KEY_NEXT: the key to rotate to. */
  readonly environmentNext: Found;
  readonly file: Found;
  /** Left by a rotation that was broken off. */
  readonly fileNext: Found;
}

export type VaultState =
  /** Nothing was ever sealed, and there is no key. */
  | { readonly kind: "empty" }
  | {
      readonly kind: "open";
      readonly key: MasterKey;
      readonly from: "environment" | "file";
      /** It was found where a rotation left it: it has to be put in its place. */
      readonly next: boolean;
    }
  /** What is sealed cannot be opened now. `id`: of the key that is missing; "" when nothing was sealed yet. */
  | { readonly kind: "locked"; readonly id: string; readonly reason: string; readonly hint: string };

const nothingIsLost = "Nothing is destroyed: what is sealed stays.";
const restoreHint =
  "With the recovery sheet: `fed key restore SHEET`. Without it and without a copy: `fed key start-over` makes a new key, and what was sealed opens again if the old one is ever found.";

/** Which of the keys found is the vault's. Nothing else than the id and the proof decides it. */
export function decideKey(sealedBy: KeyRow | undefined, found: FoundKeys, path: string): VaultState {
  return found.environment.kind === "none" ? ofFiles(sealedBy, found, path) : ofEnvironment(sealedBy, found, path);
}

function ofEnvironment(sealedBy: KeyRow | undefined, found: FoundKeys, path: string): VaultState {
  const { environment, environmentNext } = found;
  if (environment.kind === "key" && (sealedBy === undefined || isKey(environment.key, sealedBy))) {
    return { kind: "open", key: environment.key, from: "environment", next: false };
  }
  if (sealedBy && environmentNext.kind === "key" && isKey(environmentNext.key, sealedBy)) {
    return { kind: "open", key: environmentNext.key, from: "environment", next: true };
  }
  const id = sealedBy?.id ?? "";
  const what = environment.kind === "key" ? `FED_KEY is ${environment.key.id}` : "FED_KEY is no master key";
  const reason = sealedBy === undefined ? what : `${what}, and the vault is sealed by ${id}`;
  const fileFits = sealedBy && found.file.kind === "key" && isKey(found.file.key, sealedBy);
  const wayOut = fileFits
    ? `${path} is the right one: start fed without FED_KEY.`
    : "Start fed with the right FED_KEY; the lines of the recovery sheet are one, too. Where it is lost for good, start fed with a new one and run `fed key start-over`.";
  return { kind: "locked", id, reason, hint: `${nothingIsLost} ${wayOut}` };
}

function ofFiles(sealedBy: KeyRow | undefined, { file, fileNext }: FoundKeys, path: string): VaultState {
  if (sealedBy === undefined) {
    if (file.kind === "none") return { kind: "empty" };
    if (file.kind === "key") return { kind: "open", key: file.key, from: "file", next: false };
  } else {
    if (file.kind === "key" && isKey(file.key, sealedBy)) {
      return { kind: "open", key: file.key, from: "file", next: false };
    }
    if (fileNext.kind === "key" && isKey(fileNext.key, sealedBy)) {
      return { kind: "open", key: fileNext.key, from: "file", next: true };
    }
  }
  const id = sealedBy?.id ?? "";
  const what = {
    none: () => `${path} is not there`,
    key: () => `${path} is ${file.kind === "key" ? file.key.id : ""}`,
    unreadable: () => `${path} cannot be used: ${file.kind === "unreadable" ? file.reason : ""}`,
  }[file.kind]();
  return {
    kind: "locked",
    id,
    reason: sealedBy === undefined ? what : `${what}, and the vault is sealed by ${id}`,
    hint: `${nothingIsLost} Put the right master.key back and start fed again. ${restoreHint}`,
  };
}

export function isKey(key: MasterKey, { id, proof }: KeyRow): boolean {
  return key.id === id && opensProof(key, proof);
}
