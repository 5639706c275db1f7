import { createHash, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { Fault } from "#base/fault.ts";
import { linesOfSheet, readSheetLines } from "./sheet.ts";

/** The key that seals the vault. Its bytes are in a KeyObject, which no print and no JSON shows. */
export interface MasterKey {
  /** `key_` and ten letters of its hash: says which key it is, and nothing about it. */
  readonly id: string;
  readonly key: KeyObject;
}

const keyBytes = 32;
const idLetters = 10;

export function makeMasterKey(): MasterKey {
  return masterKeyOf(randomBytes(keyBytes));
}

/** Fault `invalid` for anything but 32 bytes. */
export function masterKeyOf(bytes: Uint8Array): MasterKey {
  if (bytes.length !== keyBytes) {
    throw new Fault("invalid", `a master key has ${keyBytes} bytes, and this one ${bytes.length}`);
  }
  const hash = createHash("sha256").update("fed master key\0").update(bytes).digest("hex");
  return { id: `key_${hash.slice(0, idLetters)}`, key: createSecretKey(bytes) };
}

/**
 * A key as people hand it over: 32 bytes in base64url or base64 (the text of `master.key`), or the letters of a recovery sheet, with
 * or without the words around them. The Fault `invalid` never repeats what was handed over.
 */
export function readMasterKey(text: string): MasterKey {
  const word = text.trim();
  if (/^[A-Za-z0-9_-]{43}$/.test(word) || /^[A-Za-z0-9+/]{43}=$/.test(word)) {
    return masterKeyOf(Buffer.from(word, "base64"));
  }
  return masterKeyOf(readSheetLines(text));
}

/** As `master.key` has it: base64url, 43 letters. A secret. */
export function textOfKey({ key }: MasterKey): string {
  return key.export().toString("base64url");
}

/** The lines of its recovery sheet. A secret. */
export function sheetLinesOf({ key }: MasterKey): readonly string[] {
  return linesOfSheet(key.export());
}
