import type { HostKey } from "#port/shell.ts";

/** By which keys a machine is known, and which other one it showed. */
export interface KnownHost {
  readonly trusted: readonly HostKey[];
  readonly offered: Offered | undefined;
  /** Of a type for which none is known: it was told which are, and may yet show one of these. */
  readonly asked: string | undefined;
}

export interface Offered {
  readonly key: HostKey;
  readonly sinceMs: number;
}

/** What is thought of a key that a machine shows. */
export type Judgement =
  /** Nothing is known of the machine: it is known by this key from now on. */
  | { readonly kind: "first" }
  | { readonly kind: "trusted" }
  /**
   * It is known by keys of other types, and this is no news yet: a machine has a key of each type, and shows the one that it is asked
   * for first. Only when it shows this one again, having been told which are known, it has none of these any more.
   */
  | { readonly kind: "other type" }
  | { readonly kind: "changed" };

export const unknownHost: KnownHost = { trusted: [], offered: undefined, asked: undefined };

export function judge({ trusted, asked }: KnownHost, key: HostKey): Judgement {
  if (trusted.length === 0) return { kind: "first" };
  const ofType = trusted.filter(({ type }) => type === key.type);
  if (ofType.some(({ fingerprint }) => fingerprint === key.fingerprint)) return { kind: "trusted" };
  return { kind: ofType.length > 0 || asked === key.fingerprint ? "changed" : "other type" };
}

export function isSameKey(one: HostKey, other: HostKey): boolean {
  return one.type === other.type && one.fingerprint === other.fingerprint;
}
