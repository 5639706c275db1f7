import { randomBytes } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import { accessOf, type Caller } from "#wire/handler.ts";
import { mayDo, type Role } from "#wire/role.ts";
import type { WireToken } from "#wire/user.ts";
import { hashSecret, makeSecret } from "./secret.ts";
import {
  dropToken,
  insertToken,
  revokeToken,
  selectToken,
  selectTokenBySecret,
  selectTokens,
  selectTokensOf,
  selectUser,
  touchToken,
} from "./store.ts";
import { type ApiToken, mostDeadTokens, mostTokens, roleOfToken, tokenState, wireToken } from "./user.ts";

/** Long-lived tokens for programs: `fed_`, eight letters to recognise it by, the secret. Stored as a hash. */
export interface ApiTokens {
  isOne(bearer: string): boolean;
  identify(bearer: string): Caller;
  /** Of a token by its id: for who has shown it before. */
  ofId(id: string): Caller;
  /** The caller's own; for an admin those of everybody, at most 10,000. The newest first. */
  list(caller: Caller): readonly WireToken[];
  /** `secret` is told this once. */
  create(
    caller: Caller,
    wish: { readonly name: string; readonly role: Role; readonly expiresInDays?: number | undefined },
    origin: Origin,
  ): { readonly token: WireToken; readonly secret: string };
  revoke(caller: Caller, id: string, origin: Origin): WireToken;
}

const dayMs = 86_400_000;
/** How exact "used last" is. */
const touchMs = 60_000;
/** Of everybody together, at once. */
const mostListed = 10_000;

export function openApiTokens(needs: {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
}): ApiTokens {
  const { db, events, clock } = needs;
  const show = (token: ApiToken) =>
    wireToken(token, token.userId === undefined ? undefined : selectUser(db, token.userId)?.name, clock.nowMs());

  const maySee = (caller: Caller, token: ApiToken) => {
    if (mayDo(accessOf(caller), "admin")) return true;
    return caller.kind === "user"
      ? token.userId === caller.userId
      : caller.kind === "token" && token.id === caller.tokenId;
  };

  const callerOf = (token: ApiToken | undefined): Caller => {
    const nowMs = clock.nowMs();
    const owner = token?.userId === undefined ? undefined : selectUser(db, token.userId);
    const role = token && roleOfToken(token, owner, nowMs);
    if (!token || role === undefined) return { kind: "nobody" };
    if (nowMs - (token.usedMs ?? 0) >= touchMs) touch(needs, token.id, nowMs);
    return { kind: "token", tokenId: token.id, name: token.name, role };
  };

  return {
    isOne: (bearer) => bearer.startsWith("fed_"),
    identify: (bearer) => callerOf(selectTokenBySecret(db, hashSecret(bearer))),
    ofId: (id) => callerOf(selectToken(db, id)),
    list: (caller) => visibleTo(db, caller).map(show),
    create(caller, { name, role, expiresInDays }, origin) {
      if (caller.kind === "token") {
        throw new Fault("denied", "a token makes no tokens", {
          hint: "Sign in with a name: a stolen token must die with itself.",
        });
      }
      if (!mayDo(accessOf(caller), role)) {
        throw new Fault("denied", `you are ${accessOf(caller)}: a token of yours can't be ${role}`, {
          hint: "A token may do at most what its owner may.",
        });
      }
      const createdMs = clock.nowMs();
      const userId = caller.kind === "user" ? caller.userId : undefined;
      const extra = userId === undefined ? [] : requireSeat(selectTokensOf(db, userId), createdMs);
      const prefix = `fed_${randomBytes(5).toString("hex").slice(0, 8)}`;
      const secret = `${prefix}_${makeSecret()}`;
      const token: ApiToken = {
        ...{ name, prefix, role, createdMs, usedMs: undefined, revokedMs: undefined },
        id: makeId("tok", { nowMs: () => createdMs, random: cryptoRandom }),
        userId,
        expiresMs: expiresInDays === undefined ? undefined : createdMs + expiresInDays * dayMs,
      };
      events.deed(origin, (tx, emit) => {
        for (const old of extra) dropToken(tx, old.id);
        insertToken(tx, token, hashSecret(secret));
        const until = token.expiresMs === undefined ? {} : { expiresMs: token.expiresMs };
        emit(`token:${name}`, { type: "token.created", token: token.id, name, role, ...until });
      });
      return { token: show(token), secret };
    },
    revoke(caller, id, origin) {
      const token = selectToken(db, id);
      if (!token || !maySee(caller, token))
        throw new Fault("missing", `there is no token ${id}`, { hint: "`fed token list` shows them." });
      if (token.revokedMs !== undefined) return show(token);
      const nowMs = clock.nowMs();
      events.deed(origin, (tx, emit) => {
        revokeToken(tx, id, nowMs);
        emit(`token:${token.name}`, { type: "token.revoked", token: id, name: token.name });
      });
      return show({ ...token, revokedMs: nowMs });
    },
  };
}

/** The caller's own; the newest of all for an admin. */
function visibleTo(db: Database, caller: Caller): readonly ApiToken[] {
  if (mayDo(accessOf(caller), "admin")) return selectTokens(db, mostListed);
  if (caller.kind === "user") return selectTokensOf(db, caller.userId);
  const own = caller.kind === "token" ? selectToken(db, caller.tokenId) : undefined;
  return own ? [own] : [];
}

/** Of one user's tokens those that need not be kept. Fault `conflict` when those that are good are as many as one may have. */
function requireSeat(tokens: readonly ApiToken[], nowMs: number): readonly ApiToken[] {
  const dead = tokens.filter((token) => tokenState(token, nowMs) !== "active");
  if (tokens.length - dead.length < mostTokens) return dead.slice(mostDeadTokens);
  throw new Fault("conflict", `you have ${mostTokens} tokens already`, {
    hint: "End one that is not needed any more: `fed token list` shows them, `fed token revoke ID` ends one.",
  });
}

/** A disk that is full must not lock programs out. */
function touch({ events }: { readonly events: EventLog }, id: string, nowMs: number): void {
  try {
    events.deed({ actor: "hub", correlation: "hub" }, (tx) => touchToken(tx, id, nowMs));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === "internal") throw thrown;
  }
}
