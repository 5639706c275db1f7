import { Fault } from "#base/fault.ts";

/** What the texts of SSH keys look like. None of these Faults repeats the text. */

/** The names under which logging in by SSH looks for secrets. */
export const sshSecrets = ["ssh-key", "ssh-key-passphrase", "ssh-password"] as const;

export type KeyText = { readonly kind: "private"; readonly encrypted: boolean } | { readonly kind: "public" | "none" };

/** Reads the frame of a key, not the key: whoever logs in does that. */
export function lookAtKey(text: string): KeyText {
  if (/^\s*(?:ssh-|ecdsa-|sk-|---- BEGIN SSH2 PUBLIC)/.test(text) || /-----BEGIN (?:\w+ )?PUBLIC KEY-----/.test(text)) {
    return { kind: "public" };
  }
  if (/^PuTTY-User-Key-File-\d/.test(text)) {
    return { kind: "private", encrypted: !/^Encryption: none\r?$/m.test(text) };
  }
  const frame = /-----BEGIN ((?:\w+ )*)PRIVATE KEY-----([^-]*)-----END \1PRIVATE KEY-----/.exec(text);
  if (frame === null) return { kind: "none" };
  const [, kind = "", body = ""] = frame;
  if (kind === "OPENSSH ") return { kind: "private", encrypted: !isPlainOpenSsh(body) };
  return { kind: "private", encrypted: kind === "ENCRYPTED " || body.includes("ENCRYPTED") };
}

/** OpenSSH's own form begins with its name and, as a string with its length before it, the cipher. */
function isPlainOpenSsh(body: string): boolean {
  const bytes = Buffer.from(body, "base64");
  const cipherAt = "openssh-key-v1\0".length;
  if (bytes.length < cipherAt + 4) return false;
  const length = bytes.readUInt32BE(cipherAt);
  return bytes.toString("latin1", cipherAt + 4, cipherAt + 4 + length) === "none";
}

/** Fault `invalid` for what cannot be what its name says. */
export function requireFitting(name: string, value: string): void {
  if (name !== "ssh-key") return;
  const { kind } = lookAtKey(value);
  if (kind === "private") return;
  throw new Fault("invalid", kind === "public" ? "this is a public key" : "this is no SSH private key", {
    hint: "It is the file without .pub, such as ~/.ssh/id_ed25519.",
  });
}
