import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** OWASP's recommendation for scrypt: 128 MiB would be needed to try one; here 32 MiB, three times. */
const options = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 } as const satisfies ScryptOptions;
const keyBytes = 32;
/** Hashing takes memory: more at once than this are refused. */
const mostWaiting = 32;
let waiting = 0;

export class Busy extends Error {}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (waiting >= mostWaiting) throw new Busy("too many sign in at once");
  waiting++;
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, keyBytes, options, (error, key) => {
      waiting--;
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** `scrypt$<salt>$<key>`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt);
  return ["scrypt", salt.toString("base64url"), key.toString("base64url")].join("$");
}

const nobody = `scrypt$${randomBytes(16).toString("base64url")}$${randomBytes(keyBytes).toString("base64url")}`;

/** Takes as long when there is no such person. */
export async function isPassword(password: string, hash: string = nobody): Promise<boolean> {
  const [, salt = "", key = ""] = hash.split("$");
  const wanted = Buffer.from(key, "base64url");
  const derived = await derive(password, Buffer.from(salt, "base64url"));
  return wanted.length === derived.length && timingSafeEqual(wanted, derived);
}
