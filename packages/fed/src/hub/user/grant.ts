import type { Clock } from "#base/clock.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { Grant } from "#wire/user.ts";
import { type AccessTokens, accessSeconds } from "./jwt.ts";
import { hashSecret, makeSecret } from "./secret.ts";
import { endIn, type From, notSignedIn, openIn, originOf } from "./session.ts";
import { insertRefresh, selectRefresh, selectSession, selectUser, spendRefresh, touchSession } from "./store.ts";
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
}

export function openGrants(needs: GrantNeeds): Grants {
  const { db, events, clock, accessTokens } = needs;
  const grantOf = async (user: User, sessionId: string, refreshToken: string): Promise<Grant> => ({
    accessToken: await accessTokens.sign({ userId: user.id, sessionId }),
    refreshToken,
    expiresInSeconds: accessSeconds,
    user: wireUser(user),
  });
  return {
    async openClient(user, from) {
      const secret = makeSecret();
      const nowMs = clock.nowMs();
      const id = events.deed(originOf(user, from), (tx, emit) => {
        const opened = openIn({ tx, emit, nowMs }, user, { kind: "client", secret: undefined }, from);
        insertRefresh(tx, hashSecret(secret), opened, nowMs);
        return opened;
      });
      return grantOf({ ...user, signedInMs: nowMs }, id, secret);
    },
    async refresh(secret, from) {
      const nowMs = clock.nowMs();
      const row = selectRefresh(db, hashSecret(secret));
      const session = row && selectSession(db, row.sessionId);
      const user = session && selectUser(db, session.userId);
      if (!row || !session || !user || !maySignIn(user) || !isLive(session, nowMs)) throw notSignedIn();
      if (row.spentMs !== undefined) {
        endReplayed(needs, user, session, from);
        throw notSignedIn();
      }
      const next = makeSecret();
      events.deed(originOf(user, from), (tx) => {
        spendRefresh(tx, hashSecret(secret), nowMs);
        insertRefresh(tx, hashSecret(next), session.id, nowMs);
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
