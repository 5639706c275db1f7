import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog } from "#hub/event/verbs.ts";
import type { Passwords } from "./password.ts";
import { hashSecret, makeSecret } from "./secret.ts";
import type { From, OpenedBrowser, Sessions } from "./session.ts";
import {
  dropLinksFor,
  dropLinksOf,
  insertLink,
  insertUser,
  type LinkRow,
  type Purpose,
  selectLink,
  selectUser,
  selectUserByName,
  selectUsers,
  takeLink,
  updateUser,
} from "./store.ts";
import { hasAdmin, isAhead, type User } from "./user.ts";

const minuteMs = 60_000;
const lifeMs: Readonly<Record<Purpose, number>> = {
  first: 15 * minuteMs,
  rescue: 15 * minuteMs,
  invite: 24 * 60 * minuteMs,
  reset: 24 * 60 * minuteMs,
};

export interface MadeLink {
  readonly code: string;
  readonly expiresMs: number;
}

export interface Enrolled {
  readonly user: User;
  readonly opened: OpenedBrowser;
}

/** Links of one use, with which somebody chooses a password. */
export interface Links {
  /** Earlier links of the same user (or, without one, of the same purpose) die. */
  makeIn(tx: Tx, emit: Emit, purpose: Purpose, user: User | undefined): MadeLink;
  look(code: string): { readonly purpose: Purpose; readonly name: string | undefined; readonly expiresMs: number };
  /** Uses a link up: the password counts from now on, and the browser is signed in. */
  enrol(code: string, name: string | undefined, password: string, from: From): Promise<Enrolled>;
}

export interface LinkNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
}

export function openLinks(needs: LinkNeeds): Links {
  const { db, events, clock, passwords, sessions } = needs;

  function find(code: string): LinkRow {
    const link = selectLink(db, hashSecret(code));
    const nowMs = clock.nowMs();
    if (!link || link.expiresMs <= nowMs || isAhead(link.createdMs, nowMs)) throw spent();
    if (link.purpose === "first" && hasAdmin(selectUsers(db))) throw spent();
    return link;
  }

  return {
    makeIn(tx, emit, purpose, user) {
      if (user) dropLinksFor(tx, user.id);
      else dropLinksOf(tx, purpose);
      const code = makeSecret();
      const createdMs = clock.nowMs();
      const expiresMs = createdMs + lifeMs[purpose];
      insertLink(tx, hashSecret(code), { purpose, userId: user?.id, createdMs, expiresMs });
      emit(user ? `user:${user.name}` : "hub", { type: "user.linkMade", purpose, expiresMs });
      return { code, expiresMs };
    },
    look(code) {
      const { purpose, userId, expiresMs } = find(code);
      return { purpose, name: userId === undefined ? undefined : selectUser(db, userId)?.name, expiresMs };
    },
    async enrol(code, name, password, from) {
      const seen = find(code);
      if (seen.userId === undefined) requireName(db, name);
      const hash = await passwords.hash(password);
      const origin = { actor: "nobody", correlation: from.correlation };
      return events.deed(origin, (tx, emit): Enrolled => {
        // Looked at again: the other one of two at once may have been quicker.
        const link = find(code);
        if (!takeLink(tx, hashSecret(code))) throw spent();
        const user =
          link.userId === undefined ? addAdmin(tx, emit, requireName(tx, name), hash) : keep(tx, emit, link, hash);
        emit(`user:${user.name}`, { type: "user.enrolled", purpose: link.purpose, role: user.role });
        sessions.endAllIn(tx, emit, user, "a new password was chosen");
        return { user, opened: sessions.openBrowserIn(tx, emit, user, from) };
      }) as Enrolled;
    },
  };

  function addAdmin(tx: Tx, emit: Emit, name: string, password: string): User {
    const createdMs = clock.nowMs();
    const id = makeId("usr", { nowMs: () => createdMs, random: cryptoRandom });
    const role = "admin";
    const user: User = { id, name, role, password, createdMs, signedInMs: undefined, disabledMs: undefined };
    insertUser(tx, user);
    emit(`user:${name}`, { type: "user.added", role });
    return user;
  }

  function keep(tx: Tx, emit: Emit, link: LinkRow, password: string): User {
    const known = selectUser(tx, link.userId ?? "");
    if (!known) throw spent();
    const rescued = link.purpose === "rescue" ? ({ role: "admin", disabledMs: undefined } as const) : {};
    const user = { ...known, ...rescued, password };
    if (user.disabledMs !== undefined) throw spent();
    updateUser(tx, user);
    const subject = `user:${user.name}`;
    if (known.disabledMs !== undefined) emit(subject, { type: "user.enabled" });
    if (known.role !== user.role) emit(subject, { type: "user.roleChanged", from: known.role, to: user.role });
    return user;
  }
}

function requireName(db: Pick<Database, "prepare">, name: string | undefined): string {
  if (name === undefined) throw new Fault("invalid", "name: choose one to sign in with");
  if (selectUserByName(db, name))
    throw new Fault("conflict", `there is a user ${name} already`, { hint: "Choose another name." });
  return name;
}

function spent(): Fault {
  return new Fault("missing", "this link is no longer good", {
    hint: "A link works once, and for a short time. An admin makes a new one with `fed user reset NAME`; on the hub's own machine `fed user rescue` does.",
  });
}
