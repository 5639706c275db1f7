import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { MasterKey } from "./master-key.ts";

/** Where a sealed text belongs. It opens nowhere else, so that no row can be put in the place of another. */
export interface Place {
  /** "" for all machines, or a machine's name; of a value of the lab's: "" for all environments, or one's name. */
  readonly scope: string;
  readonly name: string;
  /** Of a value of the lab's. What is kept for logging in to machines has no versions. */
  readonly version?: number;
}

const form = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM with a fresh nonce by chance: one byte of form, the nonce, the text, the tag. A vault that is sealed a million times by
 * one key repeats a nonce with a chance of 1 in 10^17.
 */
export function seal(by: MasterKey, place: Place, text: string): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", by.key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(by, place));
  return Buffer.concat([Buffer.of(form), nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** The text; undefined when it was sealed by another key or for another place, or was changed. */
export function unseal(by: MasterKey, place: Place, sealed: Uint8Array): string | undefined {
  const bytes = Buffer.from(sealed);
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== form) return undefined;
  const nonce = bytes.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", by.key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(boundTo(by, place));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8");
  } catch {
    return undefined;
  }
}

/** Names cannot run into each other: JSON keeps them apart. */
function boundTo({ id }: MasterKey, { scope, name, version }: Place): Buffer {
  const place =
    version === undefined ? ["fed vault", form, scope, name, id] : ["fed secret", form, scope, name, version, id];
  return Buffer.from(JSON.stringify(place));
}

/** No secret has an empty name, so this is nobody's place. */
const proofPlace: Place = { scope: "", name: "" };
const proofText = "fed: this vault is sealed by this key";

/** A known text, by which a key is told from another that has its id. */
export function sealProof(by: MasterKey): Uint8Array {
  return seal(by, proofPlace, proofText);
}

export function opensProof(by: MasterKey, proof: Uint8Array): boolean {
  return unseal(by, proofPlace, proof) === proofText;
}
