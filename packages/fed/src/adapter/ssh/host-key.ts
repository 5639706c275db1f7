import { createHash } from "node:crypto";
import type { ServerHostKeyAlgorithm } from "ssh2";
import type { HostKey } from "#port/shell.ts";

/** The algorithms by which each type of key proves itself, in the order in which we ask for types. */
const algorithms: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  // The last one, with SHA-1, is all that old devices have.
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/** Of the key as it comes in the handshake: its type, and all of it. */
export function readHostKey(blob: Buffer): HostKey {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  const type = blob.toString("latin1", 4, 4 + Math.min(length, 64));
  const hash = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { type, fingerprint: `SHA256:${hash}` };
}

/** The types that are known first, so that a machine with several keys shows one of these. */
export function algorithmsFor(known: readonly HostKey[]): ServerHostKeyAlgorithm[] {
  const isKnown = (type: string) => known.some((key) => key.type === type);
  const types = Object.keys(algorithms);
  return [...types.filter(isKnown), ...types.filter((type) => !isKnown(type))].flatMap(
    (type) => algorithms[type] ?? [],
  );
}
