import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits by chance, in base64url: nothing that could be guessed, so a plain hash of it is safe to store. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a secret. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares without telling by its time how much of it was right. */
export function sameSecret(given: string, wanted: string): boolean {
  const [one, other] = [given, wanted].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
