import type { HostKey } from "#port/shell.ts";

/** By which keys a machine is known, and which other one it showed. */
export interface KnownHost {
  readonly trusted: readonly HostKey[];
  readonly offered: Offered | undefined;
}

export interface Offered {
  readonly key: HostKey;
  readonly sinceMs: number;
}

/**
 * What is thought of a key that a machine shows. `first`: nothing is known of the machine, so it is known by this key from now on.
 * One of another type is `changed` as well: who connects asks for the types that are known first, and a machine that still has one of
 * these shows it.
 */
export type Judgement = "first" | "trusted" | "changed";

export const unknownHost: KnownHost = { trusted: [], offered: undefined };

export function judge({ trusted }: KnownHost, key: HostKey): Judgement {
  if (trusted.length === 0) return "first";
  return trusted.some((one) => isSameKey(one, key)) ? "trusted" : "changed";
}

export function isSameKey(one: HostKey, other: HostKey): boolean {
  return one.type === other.type && one.fingerprint === other.fingerprint;
}
