import { createHmac } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { Caller } from "#wire/handler.ts";
import type { Grant } from "#wire/user.ts";
import { type AccessTokens, accessSeconds } from "./jwt.ts";
import { hashSecret, makeSecret, sameSecret } from "./secret.ts";
import {
  endSession,
  insertRefresh,
  insertSession,
  selectOpenSessions,
  selectRefresh,
  selectSession,
  selectSessionBySecret,
  selectUser,
  spendRefresh,
  touchSession,
  updateUser,
} from "./store.ts";
import { isLive, maySignIn, type Session, sessionMs, type User, wireUser } from "./user.ts";

/** Where a call comes from. */
export interface From {
  readonly address: string;
  readonly agent: string;
  readonly correlation: string;
}

/** A browser's new session: what its cookie holds. */
export interface OpenedBrowser {
  readonly secret: string;
  readonly maxAgeSeconds: number;
  readonly csrf: string;
}

export interface Sessions {
  openBrowser(user: User, from: From): OpenedBrowser;
  /** The same inside a transaction of a greater deed. */
  openBrowserIn(tx: Tx, emit: Emit, user: User, from: From): OpenedBrowser;
  openClient(user: User, from: From): Promise<Grant>;
  /** Exchanges a refresh token; one that was exchanged before ends its session: somebody has a copy. */
  refresh(secret: string, from: From): Promise<Grant>;
  ofCookie(secret: string): Caller;
  ofAccessToken(token: string): Promise<Caller>;
  csrfOf(sessionId: string): string;
  checkCsrf(sessionId: string, header: string | undefined): boolean;
  end(sessionId: string, reason: string, origin: Origin): void;
  /** All of a user but this one; how many. */
  endAllIn(tx: Tx, emit: Emit, user: User, reason: string, except?: string): number;
}

export interface SessionNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly accessTokens: AccessTokens;
  readonly signingKey: Uint8Array;
}

/** How exact "used last" is: a write for each request would be a write too many. */
const touchMs = 60_000;
const nobody: Caller = { kind: "nobody" };

const subjectOf = (user: User) => `user:${user.name}`;

export function openSessions(needs: SessionNeeds): Sessions {
  const { db, events, clock, accessTokens } = needs;

  const callerOf = (session: Session | undefined): Caller => {
    const nowMs = clock.nowMs();
    const user = session && isLive(session, nowMs) ? selectUser(db, session.userId) : undefined;
    if (!session || !user || !maySignIn(user)) return nobody;
    if (nowMs - session.usedMs >= touchMs) touch(needs, session, nowMs);
    return {
      kind: "user",
      userId: user.id,
      name: user.name,
      role: user.role,
      session: { id: session.id, kind: session.kind },
    };
  };

  const openIn = (tx: Tx, emit: Emit, user: User, kind: Session["kind"], secret: string | undefined, from: From) => {
    const createdMs = clock.nowMs();
    const id = makeId("ses", { nowMs: () => createdMs, random: cryptoRandom });
    const { address, agent } = from;
    insertSession(tx, {
      ...{ id, userId: user.id, kind, address, agent, createdMs, expiresMs: createdMs + sessionMs },
      secret: secret === undefined ? undefined : hashSecret(secret),
    });
    updateUser(tx, { ...user, signedInMs: createdMs });
    emit(subjectOf(user), { type: "session.opened", session: id, kind, address });
    return id;
  };

  const openBrowserIn: Sessions["openBrowserIn"] = (tx, emit, user, from) => {
    const secret = makeSecret();
    const id = openIn(tx, emit, user, "browser", secret, from);
    return { secret, maxAgeSeconds: sessionMs / 1_000, csrf: csrfOf(id) };
  };

  const csrfOf = (sessionId: string) =>
    createHmac("sha256", needs.signingKey).update(`csrf ${sessionId}`).digest("base64url");

  const grantOf = async (user: User, sessionId: string, refreshToken: string): Promise<Grant> => ({
    accessToken: await accessTokens.sign({ userId: user.id, sessionId }),
    refreshToken,
    expiresInSeconds: accessSeconds,
    user: wireUser(user),
  });

  return {
    openBrowserIn,
    openBrowser: (user, from) =>
      events.deed(originOf(user, from), (tx, emit) => openBrowserIn(tx, emit, user, from)) as OpenedBrowser,
    async openClient(user, from) {
      const secret = makeSecret();
      const id = events.deed(originOf(user, from), (tx, emit) => {
        const opened = openIn(tx, emit, user, "client", undefined, from);
        insertRefresh(tx, hashSecret(secret), opened, clock.nowMs());
        return opened;
      });
      return grantOf({ ...user, signedInMs: clock.nowMs() }, id, secret);
    },
    async refresh(secret, from) {
      const row = selectRefresh(db, hashSecret(secret));
      const session = row && selectSession(db, row.sessionId);
      const user = session && selectUser(db, session.userId);
      if (!row || !session || !user || !maySignIn(user) || !isLive(session, clock.nowMs())) throw notSignedIn();
      if (row.spentMs !== undefined) {
        events.deed({ actor: "nobody", correlation: from.correlation }, (tx, emit) => {
          endSession(tx, session.id, clock.nowMs());
          emit(subjectOf(user), { type: "session.replayed", session: session.id, address: from.address });
          emit(subjectOf(user), {
            type: "session.ended",
            session: session.id,
            reason: "a refresh token was shown twice",
          });
        });
        throw notSignedIn();
      }
      const next = makeSecret();
      events.deed(originOf(user, from), (tx) => {
        spendRefresh(tx, hashSecret(secret), clock.nowMs());
        insertRefresh(tx, hashSecret(next), session.id, clock.nowMs());
        touchSession(tx, session.id, clock.nowMs());
      });
      return grantOf(user, session.id, next);
    },
    ofCookie: (secret) => {
      const session = selectSessionBySecret(db, hashSecret(secret));
      return session?.kind === "browser" ? callerOf(session) : nobody;
    },
    async ofAccessToken(token) {
      const claims = await accessTokens.verify(token);
      const session = claims && selectSession(db, claims.sessionId);
      return session?.userId === claims?.userId && session?.kind === "client" ? callerOf(session) : nobody;
    },
    csrfOf,
    checkCsrf: (sessionId, header) => header !== undefined && sameSecret(header, csrfOf(sessionId)),
    end(sessionId, reason, origin) {
      const session = selectSession(db, sessionId);
      const user = session && selectUser(db, session.userId);
      if (!user || session.endedMs !== undefined) return;
      events.deed(origin, (tx, emit) => {
        endSession(tx, sessionId, clock.nowMs());
        emit(subjectOf(user), { type: "session.ended", session: sessionId, reason });
      });
    },
    endAllIn(tx, emit, user, reason, except) {
      const open = selectOpenSessions(tx, user.id).filter(({ id }) => id !== except);
      for (const { id } of open) {
        endSession(tx, id, clock.nowMs());
        emit(subjectOf(user), { type: "session.ended", session: id, reason });
      }
      return open.length;
    },
  };
}

/** A disk that is full must not sign anybody out. */
function touch({ events }: SessionNeeds, session: Session, nowMs: number): void {
  try {
    events.deed({ actor: "hub", correlation: "hub" }, (tx) => touchSession(tx, session.id, nowMs));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === "internal") throw thrown;
  }
}

function originOf(user: User, from: From): Origin {
  return { actor: subjectOf(user), correlation: from.correlation };
}

function notSignedIn(): Fault {
  return new Fault("unauthenticated", "this sign-in is no longer good", { hint: "Sign in again: `fed login`." });
}
