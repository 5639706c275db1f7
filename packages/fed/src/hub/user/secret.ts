import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits by chance, in base64url: nothing that could be guessed, so a plain hash of it is safe to store. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a secret. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/**
 * A secret that names what it was made for. Only the newest need be stored: an older one is known as one of ours by what
 * it says of itself.
 */
export function makeSignedSecret(key: Uint8Array, owner: string): string {
  const body = `${owner}.${makeSecret()}`;
  return `${body}.${signatureOf(key, body)}`;
}

/** What it was made for; undefined for what was never made with this key. */
export function ownerOf(key: Uint8Array, secret: string): string | undefined {
  const [owner = "", chance = "", signature = "", more] = secret.split(".");
  return more === undefined && sameSecret(signature, signatureOf(key, `${owner}.${chance}`)) ? owner : undefined;
}

const signatureOf = (key: Uint8Array, body: string) =>
  createHmac("sha256", key).update(`signed secret ${body}`).digest("base64url");

/** Compares without telling by its time how much of it was right. */
export function sameSecret(given: string, wanted: string): boolean {
  const [one, other] = [given, wanted].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
