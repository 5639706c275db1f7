import type { Clock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import { actorOf, type Caller } from "#wire/handler.ts";
import type { Passwords } from "./password.ts";
import type { Refusals } from "./refusal.ts";
import { type From, notSignedIn, type Sessions } from "./session.ts";
import { dropLinksFor, selectSession, selectUser, selectUserByName, updateUser } from "./store.ts";
import { makeThrottle } from "./throttle.ts";
import { isLive, maySignIn, type User } from "./user.ts";

export interface SignIn {
  /** The user of a name and a password. Fault `unauthenticated`, the same for every reason; `limited` for who guesses. */
  authenticate(name: string, password: string, from: From): Promise<User>;
  /** Ends all other sessions of the caller; how many. Fault `invalid` when `current` is not the password. */
  changePassword(caller: Caller, current: string, next: string, from: From): Promise<number>;
}

export interface SignInNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
}

export function openSignIn(needs: SignInNeeds): SignIn {
  const { db, events, clock, passwords, sessions } = needs;
  const check = makeCheck(needs);
  return {
    async authenticate(name, password, from) {
      const user = await check(name, selectUserByName(db, name), password, from);
      if (user) return user;
      throw new Fault("unauthenticated", "the name or the password is wrong", {
        hint: "Who has forgotten it asks an admin, or runs `fed user rescue` on the hub's machine.",
      });
    },
    async changePassword(caller, current, next, from) {
      if (caller.kind !== "user") {
        throw new Fault("denied", "only who is signed in with a name has a password", {
          hint: "Sign in: `fed login`.",
        });
      }
      const checked = await check(caller.name, selectUser(db, caller.userId), current, from);
      // Not `unauthenticated`: the caller is signed in, and stays so.
      if (!checked) throw new Fault("invalid", "the current password is wrong", { hint: "Nothing was changed." });
      const password = await passwords.hash(next);
      return events.deed({ actor: actorOf(caller), correlation: from.correlation }, (tx, emit) => {
        // Looked at again: an admin may have acted while the password was computed.
        const user = selectUser(tx, caller.userId);
        const session = selectSession(tx, caller.session.id);
        const same = user !== undefined && maySignIn(user) && user.password === checked.password;
        if (!same || !session || !isLive(session, clock.nowMs())) throw notSignedIn();
        updateUser(tx, { ...user, password });
        dropLinksFor(tx, user.id);
        const ended = sessions.endAllIn(tx, emit, user, "the password was changed", session.id);
        emit(`user:${user.name}`, { type: "user.passwordChanged", sessionsEnded: ended });
        return ended;
      });
    },
  };
}

/**
 * The user, when this is the password and they may sign in. Everything else takes as long, counts the same and answers
 * the same: a name that nobody has, one that is disabled, one that has no password yet.
 */
function makeCheck({ db, clock, passwords, refusals }: SignInNeeds) {
  const throttle = makeThrottle();
  const begin = (name: string, { address, correlation }: From) => {
    try {
      return throttle.begin(name, address, clock.tickMs());
    } catch (thrown) {
      const refusal = { endpoint: "login", reason: "too many attempts to sign in", address, correlation };
      if (isFault(thrown)) refusals.record({ ...refusal, caller: { kind: "nobody" } });
      throw thrown;
    }
  };
  return async (name: string, user: User | undefined, password: string, from: From): Promise<User | undefined> => {
    const attempt = begin(name, from);
    const stored = user && maySignIn(user) ? user.password : undefined;
    const right = await passwords.verify(password, stored).catch((thrown: unknown) => {
      attempt.abandoned();
      throw thrown;
    });
    // Looked at again: it may have been disabled while the password was computed.
    const now = user && selectUser(db, user.id);
    if (right && now && maySignIn(now) && now.password === stored) {
      attempt.succeeded();
      return now;
    }
    const { failures } = attempt;
    refusals.recordSignIn({ name: user?.name, address: from.address, failures, correlation: from.correlation });
    return undefined;
  };
}
