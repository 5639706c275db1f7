import { Fault } from "#base/fault.ts";
import { lowerRole, type Role } from "#wire/role.ts";
import type { WireToken, WireUser } from "#wire/user.ts";

/** Somebody who may sign in, or could. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** As argon2id; undefined until one is chosen. */
  readonly password: string | undefined;
  readonly createdMs: number;
  readonly signedInMs: number | undefined;
  readonly disabledMs: number | undefined;
}

export function wireUser(user: User): WireUser {
  return {
    id: user.id,
    name: user.name,
    role: user.role,
    state: stateOf(user),
    createdMs: user.createdMs,
    ...(user.signedInMs === undefined ? {} : { signedInMs: user.signedInMs }),
  };
}

function stateOf(user: User): WireUser["state"] {
  if (user.disabledMs !== undefined) return "disabled";
  return user.password === undefined ? "invited" : "active";
}

export function maySignIn(user: User): boolean {
  return stateOf(user) === "active";
}

/** Whether somebody can govern this hub. */
export function hasAdmin(users: readonly User[]): boolean {
  return users.some((user) => user.role === "admin" && maySignIn(user));
}

/** Nobody locks everybody out: Fault `conflict` when `after` leaves no admin who can sign in. */
export function requireAdminLeft(users: readonly User[], after: User): void {
  if (hasAdmin(users.map((user) => (user.id === after.id ? after : user)))) return;
  if (!hasAdmin(users)) return;
  throw new Fault("conflict", `${after.name} is the last admin of this hub`, {
    hint: "Make another one first: `fed user add NAME --role admin`. Who has lost the password: `fed user rescue NAME` on the hub's machine.",
  });
}

/** A long-lived API token. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly role: Role;
  readonly userId: string | undefined;
  readonly createdMs: number;
  readonly expiresMs: number | undefined;
  readonly usedMs: number | undefined;
  readonly revokedMs: number | undefined;
}

/** So many of one user that are good for something; whoever works on the hub's own machine may do everything anyway. */
export const mostTokens = 100;
/** So many of one user that are good for nothing are still shown. */
export const mostDeadTokens = 100;

export function tokenState(token: ApiToken, nowMs: number): WireToken["state"] {
  const { revokedMs, expiresMs, createdMs } = token;
  if (revokedMs !== undefined) return "revoked";
  return expiresMs !== undefined && (expiresMs <= nowMs || isAhead(createdMs, nowMs)) ? "expired" : "active";
}

/** What a token may do now: no more than its owner; undefined when it is good for nothing any more. */
export function roleOfToken(token: ApiToken, owner: User | undefined, nowMs: number): Role | undefined {
  if (tokenState(token, nowMs) !== "active") return undefined;
  if (token.userId === undefined) return token.role;
  return owner && maySignIn(owner) ? lowerRole(token.role, owner.role) : undefined;
}

export function wireToken(token: ApiToken, owner: string | undefined, nowMs: number): WireToken {
  const { id, name, prefix, role, createdMs, expiresMs, usedMs } = token;
  return {
    ...{ id, name, prefix, role, createdMs },
    ...(owner === undefined ? {} : { user: owner }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(usedMs === undefined ? {} : { usedMs }),
    state: tokenState(token, nowMs),
  };
}

/** A browser's session, or the family of a program's refresh tokens. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly kind: "browser" | "client";
  readonly createdMs: number;
  readonly usedMs: number;
  readonly expiresMs: number;
  readonly endedMs: number | undefined;
}

const dayMs = 86_400_000;
/** Unused for so long, a session ends. */
export const idleMs = 7 * dayMs;
/** So many sessions of one user at once; a new one ends the one used longest ago. */
export const mostSessions = 100;
/** A session ends after this, however much it is used. */
export const sessionMs = 30 * dayMs;

export function isLive(session: Session, nowMs: number): boolean {
  return !isOver(session, nowMs) && !isAhead(session.createdMs, nowMs);
}

/** It comes back by no clock that goes on. */
export function isOver({ endedMs, expiresMs, usedMs }: Session, nowMs: number): boolean {
  return endedMs !== undefined || nowMs >= expiresMs || nowMs >= usedMs + idleMs;
}

const aheadMs = 5 * 60_000;

/**
 * Made by a clock that was ahead and was set right since. What has an end counts for nothing then: counted from a time
 * that is to come, it would live for years.
 */
export function isAhead(createdMs: number, nowMs: number): boolean {
  return createdMs > nowMs + aheadMs;
}
