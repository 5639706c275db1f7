import { createHash } from "node:crypto";
import type { RawTick } from "#port/collector.ts";

/** A token with which a machine joins, once. */
export interface JoinToken {
  readonly hash: string;
  readonly machine: string;
  readonly kind: "server" | "workstation";
  readonly createdMs: number;
  readonly createdBy: string;
  readonly expiresMs: number;
  readonly usedMs: number | undefined;
}

/** A machine that reports by itself. */
export interface Agent {
  readonly machine: string;
  /** Hash of what it shows. */
  readonly credential: string;
  readonly joinedMs: number;
  /** Of the last tick that is kept, or nearly: it is written now and then. */
  readonly sequence: number;
  readonly version: string;
  /** It is out of the fleet, and is to remove what it runs for us. */
  readonly leaving: boolean;
}

export const tokenLifeMs = 60 * 60_000;

export type Verdict =
  | { readonly kind: "good"; readonly token: JoinToken }
  | { readonly kind: "unknown" | "used" | "expired"; readonly token: JoinToken | undefined };

/** Whether a token may be used now. One of the future was made under a clock that was wrong, and is as good as none. */
export function judgeToken(token: JoinToken | undefined, nowMs: number): Verdict {
  if (token === undefined) return { kind: "unknown", token };
  if (token.usedMs !== undefined) return { kind: "used", token };
  if (nowMs >= token.expiresMs || nowMs < token.createdMs - tokenLifeMs) return { kind: "expired", token };
  return { kind: "good", token };
}

/** Why it is not good, and what to do, for the person at the machine. */
export const badTokens: Readonly<Record<Exclude<Verdict["kind"], "good">, string>> = {
  unknown: "this hub has made no such token, or has forgotten it",
  used: "this token was used already: each lets one machine join, once",
  expired: "this token is too old: each is good for an hour",
};
export const newTokenHint = "Make another at the hub: fed machine join NAME";

/** The mark of a machine's program: nobody on the machine but the agent knows it, and it stays with the credential. */
export function markOf({ credential }: Pick<Agent, "credential">): string {
  return createHash("sha256").update(`mark of a program ${credential}`).digest("hex").slice(0, 32);
}

/** A clock that is off by less is a clock like most; what it says is taken. */
export const mostSkewMs = 30_000;
/** Older than what a machine keeps while it cannot reach the hub: its clock was wrong when it took it. */
export const oldestMs = 26 * 60 * 60_000;

/** How far a machine's clock is from the hub's; more than 0 when it is behind. */
export interface Skew {
  /** Ticks that came when they were made, and how late by the machine's clock; the newest last. */
  readonly lately: readonly number[];
  readonly ms: number;
}

const looksAtOnce = 6;

export function skewAtFirst(receivedMs: number, machineMs: number): Skew {
  return { lately: [], ms: receivedMs - machineMs };
}

/** After a tick that was sent when it was made. One that is held up by the network looks late; not all of some are. */
export function skewAfter({ lately, ms }: Skew, receivedMs: number, machineMs: number): Skew {
  const next = [...lately, receivedMs - machineMs].slice(-looksAtOnce);
  return { lately: next, ms: next.length < looksAtOnce ? ms : Math.min(...next) };
}

/**
 * The same tick at the time at which it was taken: by the hub's clock when the machine's is wrong. Undefined for one of which nobody
 * can say when it was.
 */
export function placeTick(tick: RawTick, skew: Skew, receivedMs: number): RawTick | undefined {
  const moved = Math.abs(skew.ms) < mostSkewMs ? tick : { ...tick, machineMs: tick.machineMs + skew.ms };
  const ageMs = receivedMs - moved.machineMs;
  return ageMs > oldestMs || ageMs < -mostSkewMs ? undefined : moved;
}

export function wordsOfSkew({ ms }: Skew): string | undefined {
  if (Math.abs(ms) < mostSkewMs) return undefined;
  const seconds = Math.round(Math.abs(ms) / 1_000);
  const span =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7_200
        ? `${Math.round(seconds / 60)} min`
        : seconds < 172_800
          ? `${Math.round(seconds / 3_600)} h`
          : `${Math.round(seconds / 86_400)} d`;
  return `its clock is ${span} ${ms > 0 ? "behind" : "ahead of"} the hub's; what it tells is put where the hub's clock says. Set it, or let it keep time (systemd-timesyncd, chrony).`;
}
