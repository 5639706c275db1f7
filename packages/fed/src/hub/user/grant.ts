import type { Clock } from "#base/clock.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { Grant } from "#wire/user.ts";
import { type AccessTokens, accessSeconds } from "./jwt.ts";
import { hashSecret, makeSignedSecret, ownerOf } from "./secret.ts";
import { endIn, type From, notSignedIn, openIn, originOf } from "./session.ts";
import {
  insertRefresh,
  renewRefresh,
  selectSession,
  selectSessionByRefresh,
  selectUser,
  touchSession,
} from "./store.ts";
import { isLive, maySignIn, type Session, type User, wireUser } from "./user.ts";

/** What programs sign in with: a short access token, and a refresh token of one use for the next pair. */
export interface Grants {
  /** `user` is the one whose password was checked: Fault `unauthenticated` when it has changed since. */
  openClient(user: User, from: From): Promise<Grant>;
  /**
   * Exchanges a refresh token. One that was exchanged before ends its session, because then two have it and nobody knows
   * which of them is the thief. Fault `unauthenticated` for that and for all that is not good.
   */
  refresh(secret: string, from: From): Promise<Grant>;
}

export interface GrantNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly accessTokens: AccessTokens;
  /** Signs refresh tokens. */
  readonly signingKey: Uint8Array;
  isEnding(sessionId: string): boolean;
}

export function openGrants(needs: GrantNeeds): Grants {
  const { db, events, clock, accessTokens, signingKey } = needs;
  const isEnding = (sessionId: string) => needs.isEnding(sessionId);
  const grantOf = async (user: User, sessionId: string, refreshToken: string): Promise<Grant> => ({
    accessToken: await accessTokens.sign({ userId: user.id, sessionId }),
    refreshToken,
    expiresInSeconds: accessSeconds,
    user: wireUser(user),
  });
  return {
    async openClient(user, from) {
      const nowMs = clock.nowMs();
      const { id, secret } = events.deed(originOf(user, from), (tx, emit) => {
        const opened = openIn({ tx, emit, nowMs }, user, { kind: "client", secret: undefined }, from);
        const first = makeSignedSecret(signingKey, opened);
        insertRefresh(tx, hashSecret(first), opened, nowMs);
        return { id: opened, secret: first };
      });
      return grantOf({ ...user, signedInMs: nowMs }, id, secret);
    },
    async refresh(secret, from) {
      const nowMs = clock.nowMs();
      const sessionId = ownerOf(signingKey, secret);
      const session = sessionId === undefined ? undefined : selectSession(db, sessionId);
      const user = session && selectUser(db, session.userId);
      if (!session || !user || !maySignIn(user) || !isLive(session, nowMs) || isEnding(session.id)) throw notSignedIn();
      if (selectSessionByRefresh(db, hashSecret(secret)) !== session.id) {
        endReplayed(needs, user, session, from);
        throw notSignedIn();
      }
      const next = makeSignedSecret(signingKey, session.id);
      events.deed(originOf(user, from), (tx) => {
        renewRefresh(tx, session.id, hashSecret(next), nowMs);
        touchSession(tx, session.id, nowMs);
      });
      return grantOf(user, session.id, next);
    },
  };
}

function endReplayed({ events, clock }: GrantNeeds, user: User, session: Session, from: From): void {
  events.deed({ actor: "nobody", correlation: from.correlation }, (tx, emit) => {
    emit(`user:${user.name}`, { type: "session.replayed", session: session.id, address: from.address });
    endIn({ tx, emit, nowMs: clock.nowMs() }, user, session, "a refresh token was shown twice");
  });
}
