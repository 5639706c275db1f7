import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Trace } from "#base/trace.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import { actorOf, type Caller } from "#wire/handler.ts";
import type { Role } from "#wire/role.ts";
import { makeAccessTokens } from "./jwt.ts";
import { type Links, type MadeLink, openLinks } from "./link.ts";
import { openPasswords, type Passwords } from "./password.ts";
import { makeRefusals } from "./refusal.ts";
import { sameSecret } from "./secret.ts";
import { type From, openSessions, type Sessions } from "./session.ts";
import {
  dropLinksBefore,
  dropLinksFor,
  dropLinksOf,
  dropSessions,
  dropTokens,
  insertUser,
  selectUser,
  selectUserByName,
  selectUsers,
  updateUser,
} from "./store.ts";
import { makeThrottle } from "./throttle.ts";
import { type ApiTokens, openApiTokens } from "./token.ts";
import { hasAdmin, idleMs, maySignIn, requireAdminLeft, type User } from "./user.ts";

export interface UsersNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Signs access tokens; at least 32 bytes. */
  readonly signingKey: Uint8Array;
  /** Of the token file in the data folder. */
  readonly localToken: string;
  readonly passwords?: Passwords;
}

export interface Users {
  readonly sessions: Sessions;
  readonly links: Links;
  readonly tokens: ApiTokens;
  /** Who shows these; `nobody` for what is not known or no longer good. */
  identify(shown: { readonly bearer?: string | undefined; readonly cookie?: string | undefined }): Promise<Caller>;
  checkCsrf(caller: Caller, header: string | undefined): boolean;
  /** The user of a name and a password. Fault `unauthenticated`, the same for every reason; `limited` for who guesses. */
  authenticate(name: string, password: string, from: From): Promise<User>;
  changePassword(caller: Caller, current: string, next: string, from: From): Promise<number>;
  list(): readonly User[];
  add(name: string, role: Role, password: string | undefined, origin: Origin): Promise<{ user: User; link?: MadeLink }>;
  disable(name: string, origin: Origin): User;
  enable(name: string, origin: Origin): User;
  setRole(name: string, role: Role, origin: Origin): User;
  reset(name: string, origin: Origin): { user: User; link: MadeLink };
  rescue(name: string | undefined, origin: Origin): MadeLink;
  /** A fresh code with which the first admin is made; undefined when there is one. */
  firstCode(): string | undefined;
  /** Somebody known was refused. */
  recordRefusal(refusal: { endpoint: string; reason: string; caller: Caller; address: string }): void;
  /** Forgets what can't be used any more. */
  sweep(): void;
}

const dayMs = 86_400_000;
const subjectOf = (user: User) => `user:${user.name}`;

export function openUsers(needs: UsersNeeds): Users {
  const { db, events, clock, signingKey } = needs;
  const passwords = needs.passwords ?? openPasswords();
  const throttle = makeThrottle();
  const accessTokens = makeAccessTokens(signingKey, clock);
  const sessions = openSessions({ db, events, clock, accessTokens, signingKey });
  const links = openLinks({ db, events, clock, passwords, sessions });
  const tokens = openApiTokens({ db, events, clock });
  const refusals = makeRefusals(events, clock);

  function requireUser(name: string): User {
    const user = selectUserByName(db, name);
    if (user) return user;
    const names = selectUsers(db).map((one) => one.name);
    throw new Fault("missing", `there is no user ${name}`, { hint: `There are: ${names.join(", ") || "none"}.` });
  }

  /** Changes one user; the last admin stays one. */
  function change<T>(name: string, origin: Origin, work: (tx: Tx, emit: Emit, user: User) => { user: User; more: T }) {
    const before = requireUser(name);
    return events.deed(origin, (tx, emit) => {
      const { user, more } = work(tx, emit, before);
      updateUser(tx, user);
      return { user, more };
    }) as { user: User; more: T };
  }

  async function verify(name: string, user: User | undefined, password: string, from: From): Promise<User> {
    const attempt = throttle.begin(name, from.address, clock.nowMs());
    const right = await passwords.verify(password, user && maySignIn(user) ? user.password : undefined);
    // Looked at again: it may have been disabled while the password was computed.
    const now = user && selectUser(db, user.id);
    if (right && now && maySignIn(now) && now.password === user.password) {
      attempt.succeeded();
      return now;
    }
    if (attempt.step) {
      events.note(
        { actor: "nobody", correlation: from.correlation },
        // A name that nobody has may be a password typed in the wrong field.
        user ? subjectOf(user) : "user:?",
        {
          type: "session.refused",
          reason: "wrong name or password",
          address: from.address,
          failures: attempt.failures,
        },
      );
    }
    throw new Fault("unauthenticated", "the name or the password is wrong", {
      hint: "Who has forgotten it asks an admin, or runs `fed user rescue` on the hub's machine.",
    });
  }

  return {
    sessions,
    links,
    tokens,
    async identify({ bearer, cookie }) {
      if (bearer === undefined) return cookie === undefined ? { kind: "nobody" } : sessions.ofCookie(cookie);
      if (sameSecret(bearer, needs.localToken)) return { kind: "local" };
      return tokens.isOne(bearer) ? tokens.identify(bearer) : sessions.ofAccessToken(bearer);
    },
    checkCsrf: (caller, header) => caller.kind === "user" && sessions.checkCsrf(caller.session.id, header),
    authenticate: (name, password, from) => verify(name, selectUserByName(db, name), password, from),
    async changePassword(caller, current, next, from) {
      if (caller.kind !== "user") {
        throw new Fault("denied", "only who is signed in with a name has a password", {
          hint: "Sign in: `fed login`.",
        });
      }
      const user = await verify(caller.name, selectUser(db, caller.userId), current, from);
      const password = await passwords.hash(next);
      return events.deed({ actor: actorOf(caller), correlation: from.correlation }, (tx, emit) => {
        updateUser(tx, { ...user, password });
        dropLinksFor(tx, user.id);
        const ended = sessions.endAllIn(tx, emit, user, "the password was changed", caller.session.id);
        emit(subjectOf(user), { type: "user.passwordChanged", sessionsEnded: ended });
        return ended;
      });
    },
    list: () => selectUsers(db),
    async add(name, role, password, origin) {
      const taken = () => {
        if (selectUserByName(db, name))
          throw new Fault("conflict", `there is a user ${name} already`, { hint: "Choose another name." });
      };
      taken();
      const hash = password === undefined ? undefined : await passwords.hash(password);
      taken();
      const createdMs = clock.nowMs();
      const id = makeId("usr", { nowMs: () => createdMs, random: cryptoRandom });
      const user: User = { id, name, role, password: hash, createdMs, signedInMs: undefined, disabledMs: undefined };
      return events.deed(origin, (tx, emit) => {
        insertUser(tx, user);
        emit(subjectOf(user), { type: "user.added", role });
        return hash === undefined ? { user, link: links.makeIn(tx, emit, "invite", user) } : { user };
      }) as { user: User; link?: MadeLink };
    },
    disable: (name, origin) =>
      change(name, origin, (tx, emit, before) => {
        const user = { ...before, disabledMs: before.disabledMs ?? clock.nowMs() };
        requireAdminLeft(selectUsers(tx), user);
        dropLinksFor(tx, user.id);
        if (before.disabledMs === undefined) emit(subjectOf(user), { type: "user.disabled" });
        return { user, more: sessions.endAllIn(tx, emit, user, "the user was disabled") };
      }).user,
    enable: (name, origin) =>
      change(name, origin, (_tx, emit, before) => {
        if (before.disabledMs !== undefined) emit(subjectOf(before), { type: "user.enabled" });
        return { user: { ...before, disabledMs: undefined }, more: undefined };
      }).user,
    setRole: (name, role, origin) =>
      change(name, origin, (tx, emit, before) => {
        const user = { ...before, role };
        requireAdminLeft(selectUsers(tx), user);
        if (before.role !== role) emit(subjectOf(user), { type: "user.roleChanged", from: before.role, to: role });
        return { user, more: undefined };
      }).user,
    reset(name, origin) {
      const { user, more } = change(name, origin, (tx, emit, before) => {
        if (before.disabledMs !== undefined) {
          throw new Fault("conflict", `${before.name} is disabled`, {
            hint: `First: \`fed user enable ${before.name}\`.`,
          });
        }
        const forgotten = { ...before, password: undefined };
        sessions.endAllIn(tx, emit, forgotten, "the password was reset");
        return { user: forgotten, more: links.makeIn(tx, emit, "reset", forgotten) };
      });
      return { user, link: more };
    },
    rescue(name, origin) {
      const user = name === undefined ? undefined : requireUser(name);
      return events.deed(origin, (tx, emit) => links.makeIn(tx, emit, "rescue", user)) as MadeLink;
    },
    firstCode() {
      if (hasAdmin(selectUsers(db))) return undefined;
      return events.deed(
        { actor: "hub", correlation: "hub" },
        (tx, emit) => links.makeIn(tx, emit, "first", undefined).code,
      );
    },
    recordRefusal: (refusal) => refusals.record(refusal),
    sweep() {
      const nowMs = clock.nowMs();
      events.deed({ actor: "hub", correlation: "hub" }, (tx) => {
        dropLinksBefore(tx, nowMs);
        if (hasAdmin(selectUsers(tx))) dropLinksOf(tx, "first");
        dropSessions(tx, nowMs - dayMs, nowMs - idleMs, nowMs);
        dropTokens(tx, nowMs - 90 * dayMs);
      });
    },
  };
}
