import { createHmac } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { Caller } from "#wire/handler.ts";
import type { AccessTokens } from "./jwt.ts";
import { hashSecret, makeSecret, sameSecret } from "./secret.ts";
import {
  endSession,
  insertSession,
  selectOpenSessions,
  selectSession,
  selectSessionBySecret,
  selectUser,
  touchSession,
  touchUser,
} from "./store.ts";
import { isLive, isOver, maySignIn, mostSessions, type Session, sessionMs, type User } from "./user.ts";

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
  /** `user` is the one whose password was checked: Fault `unauthenticated` when it has changed since. */
  openBrowser(user: User, from: From): OpenedBrowser;
  /** The same inside a transaction of a greater deed. */
  openBrowserIn(tx: Tx, emit: Emit, user: User, from: From): OpenedBrowser;
  ofCookie(secret: string): Caller;
  ofAccessToken(token: string): Promise<Caller>;
  /** Of a session by its id: for who has shown its proof before. */
  ofId(sessionId: string): Caller;
  /** Whether it was ended, and only the line that says so is not written yet. */
  isEnding(sessionId: string): boolean;
  csrfOf(sessionId: string): string;
  checkCsrf(sessionId: string, header: string | undefined): boolean;
  /** Counts at once, also while the disk is full: then it is kept in mind, and written by `endLate`. */
  end(sessionId: string, reason: string, origin: Origin): void;
  /** Writes what could not be written; what still cannot be stays in mind. */
  endLate(): void;
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
  const { db, events, clock, accessTokens, signingKey } = needs;
  const late = new Map<string, { readonly reason: string; readonly origin: Origin }>();
  const known = (session: Session) => (late.has(session.id) ? nobody : callerOf(needs, session));
  const csrfOf = (sessionId: string) =>
    createHmac("sha256", signingKey).update(`csrf ${sessionId}`).digest("base64url");

  const openBrowserIn: Sessions["openBrowserIn"] = (tx, emit, user, from) => {
    const secret = makeSecret();
    const id = openIn({ tx, emit, nowMs: clock.nowMs() }, user, { kind: "browser", secret: hashSecret(secret) }, from);
    return { secret, maxAgeSeconds: sessionMs / 1_000, csrf: csrfOf(id) };
  };

  return {
    openBrowserIn,
    openBrowser: (user, from) =>
      events.deed(originOf(user, from), (tx, emit) => openBrowserIn(tx, emit, user, from)) as OpenedBrowser,
    ofCookie: (secret) => {
      const session = selectSessionBySecret(db, hashSecret(secret));
      return session?.kind === "browser" ? known(session) : nobody;
    },
    async ofAccessToken(token) {
      const claims = await accessTokens.verify(token);
      const session = claims && selectSession(db, claims.sessionId);
      return session?.userId === claims?.userId && session?.kind === "client" ? known(session) : nobody;
    },
    ofId(sessionId) {
      const session = selectSession(db, sessionId);
      return session ? known(session) : nobody;
    },
    isEnding: (sessionId) => late.has(sessionId),
    csrfOf,
    checkCsrf: (sessionId, header) => header !== undefined && sameSecret(header, csrfOf(sessionId)),
    end(sessionId, reason, origin) {
      late.set(sessionId, { reason, origin });
      endLate(needs, late);
    },
    endLate: () => endLate(needs, late),
    endAllIn(tx, emit, user, reason, except) {
      const nowMs = clock.nowMs();
      const open = selectOpenSessions(tx, user.id).filter(({ id }) => id !== except);
      const [over, live] = [open.filter((one) => isOver(one, nowMs)), open.filter((one) => !isOver(one, nowMs))];
      // A clock that is put back must not bring back what looks over now.
      for (const { id } of over) endSession(tx, id, nowMs);
      for (const session of live) endIn({ tx, emit, nowMs }, user, session, reason);
      return live.length;
    },
  };
}

function endLate(
  { db, events, clock }: SessionNeeds,
  late: Map<string, { readonly reason: string; readonly origin: Origin }>,
): void {
  for (const [sessionId, { reason, origin }] of late) {
    const session = selectSession(db, sessionId);
    const user = session && selectUser(db, session.userId);
    try {
      if (user && session.endedMs === undefined)
        events.deed(origin, (tx, emit) => endIn({ tx, emit, nowMs: clock.nowMs() }, user, session, reason));
      late.delete(sessionId);
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code === "internal") throw thrown;
    }
  }
}

/** A deed under way. */
interface Deed {
  readonly tx: Tx;
  readonly emit: Emit;
  readonly nowMs: number;
}

/** Records a new session of the user whose password was checked; its id. Fault `unauthenticated` as in `Sessions`. */
export function openIn(
  deed: Deed,
  checked: User,
  { kind, secret }: { readonly kind: Session["kind"]; readonly secret: string | undefined },
  { address, agent }: From,
): string {
  const { tx, emit, nowMs } = deed;
  // Looked at again: since the password was checked, an admin may have disabled the user or reset the password.
  const user = selectUser(tx, checked.id);
  if (!user || !maySignIn(user) || user.password !== checked.password) throw notSignedIn();
  const live = selectOpenSessions(tx, user.id).filter((one) => !isOver(one, nowMs));
  for (const old of live.slice(0, Math.max(0, live.length - mostSessions + 1)))
    endIn(deed, user, old, "too many sessions");
  const id = makeId("ses", { nowMs: () => nowMs, random: cryptoRandom });
  const expiresMs = nowMs + sessionMs;
  insertSession(tx, { id, userId: user.id, kind, secret, address, agent, createdMs: nowMs, expiresMs });
  touchUser(tx, user.id, nowMs);
  emit(subjectOf(user), { type: "session.opened", session: id, kind, address });
  return id;
}

export function endIn({ tx, emit, nowMs }: Deed, user: User, session: Session, reason: string): void {
  endSession(tx, session.id, nowMs);
  emit(subjectOf(user), { type: "session.ended", session: session.id, reason });
}

/** Read anew each time, so that whatever an admin or the user does counts from the next request. */
function callerOf(needs: SessionNeeds, session: Session): Caller {
  const nowMs = needs.clock.nowMs();
  const user = isLive(session, nowMs) ? selectUser(needs.db, session.userId) : undefined;
  if (!user || !maySignIn(user)) return nobody;
  if (Math.abs(nowMs - session.usedMs) >= touchMs) touch(needs, session, nowMs);
  const { id, name, role } = user;
  return { kind: "user", userId: id, name, role, session: { id: session.id, kind: session.kind } };
}

/** A disk that is full must not sign anybody out. */
function touch({ events }: SessionNeeds, session: Session, nowMs: number): void {
  try {
    events.deed({ actor: "hub", correlation: "hub" }, (tx) => touchSession(tx, session.id, nowMs));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === "internal") throw thrown;
  }
}

export function originOf(user: User, from: From): Origin {
  return { actor: subjectOf(user), correlation: from.correlation };
}

export function notSignedIn(): Fault {
  return new Fault("unauthenticated", "this sign-in is no longer good", { hint: "Sign in again: `fed login`." });
}
