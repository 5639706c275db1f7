import { createHash } from "node:crypto";

/** An event as it is stored; `data` is its JSON text. */
export interface Link {
  readonly sequence: number;
  readonly atMs: number;
  readonly type: string;
  readonly actor: string;
  readonly subject: string;
  readonly correlation: string;
  readonly data: string;
  readonly hash: string;
}

/** A place in the chain: what the next event is hashed with. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/** The hash of an event that follows one with the hash `before`: SHA-256 in hex over all that it says. */
export function hashOf(before: string, link: Omit<Link, "hash">): string {
  const { sequence, atMs, type, actor, subject, correlation, data } = link;
  const text = JSON.stringify([before, sequence, atMs, type, actor, subject, correlation, data]);
  return createHash("sha256").update(text).digest("hex");
}

/**
 * The link that follows. Its texts are made well-formed first: half of a surrogate pair is hashed as one thing and
 * stored as another, and would look like tampering ever after.
 */
export function linkAfter(head: Head, said: Omit<Link, "sequence" | "hash">): Link {
  const link = {
    sequence: head.sequence + 1,
    atMs: Math.floor(said.atMs),
    type: said.type.toWellFormed(),
    actor: said.actor.toWellFormed(),
    subject: said.subject.toWellFormed(),
    correlation: said.correlation.toWellFormed(),
    data: said.data.toWellFormed(),
  };
  return { ...link, hash: hashOf(head.hash, link) };
}

export type Walk =
  | { readonly kind: "sound"; readonly head: Head }
  | { readonly kind: "broken"; readonly sequence: number; readonly reason: string };

/** Follows the chain from `head` over the next events, which are in the order of their sequence. */
export function walk(head: Head, links: readonly Link[]): Walk {
  let { sequence, hash } = head;
  for (const link of links) {
    const expected = sequence + 1;
    if (link.sequence !== expected) {
      const last = link.sequence - 1;
      const which = last === expected ? `event ${expected} is` : `events ${expected} to ${last} are`;
      return { kind: "broken", sequence: expected, reason: `${which} missing` };
    }
    if (hashOf(hash, link) !== link.hash) {
      return {
        kind: "broken",
        sequence: link.sequence,
        reason: `event ${link.sequence} is not what was written: its hash does not follow from its content and the event before`,
      };
    }
    ({ sequence, hash } = link);
  }
  return { kind: "sound", head: { sequence, hash } };
}
