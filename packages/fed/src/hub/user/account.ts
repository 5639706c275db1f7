import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Database, Tx } from "#disk/sqlite.ts";
import type { Emit, EventLog, Origin } from "#hub/event/verbs.ts";
import type { Role } from "#wire/role.ts";
import type { Links, MadeLink } from "./link.ts";
import type { Passwords } from "./password.ts";
import type { Sessions } from "./session.ts";
import { dropLinksFor, insertUser, selectUserByName, selectUsers, updateUser } from "./store.ts";
import { requireAdminLeft, type User } from "./user.ts";

/** What admins do with users. The name is matched whatever its case; Fault `missing` when nobody has it. */
export interface Accounts {
  list(): readonly User[];
  /** Without a password there is a link with which they choose one. */
  add(name: string, role: Role, password: string | undefined, origin: Origin): Promise<{ user: User; link?: MadeLink }>;
  /** Fault `conflict` for the last admin who can sign in; so do `setRole` and `reset`. */
  disable(name: string, origin: Origin): User;
  enable(name: string, origin: Origin): User;
  setRole(name: string, role: Role, origin: Origin): User;
  reset(name: string, origin: Origin): { user: User; link: MadeLink };
  /** Without a name the holder of the link chooses one. */
  rescue(name: string | undefined, origin: Origin): MadeLink;
}

export interface AccountNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly links: Links;
}

const subjectOf = (user: User) => `user:${user.name}`;

export function openAccounts(needs: AccountNeeds): Accounts {
  const { db, events, clock, sessions, links } = needs;
  const change = makeChange(needs);
  return {
    list: () => selectUsers(db),
    add: (name, role, password, origin) => add(needs, { name, role, password }, origin),
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
        requireAdminLeft(selectUsers(tx), forgotten);
        sessions.endAllIn(tx, emit, forgotten, "the password was reset");
        return { user: forgotten, more: links.makeIn(tx, emit, "reset", forgotten) };
      });
      return { user, link: more };
    },
    rescue(name, origin) {
      const user = name === undefined ? undefined : requireUser(db, name);
      return events.deed(origin, (tx, emit) => links.makeIn(tx, emit, "rescue", user)) as MadeLink;
    },
  };
}

function requireUser(db: Database, name: string): User {
  const user = selectUserByName(db, name);
  if (user) return user;
  const names = selectUsers(db).map((one) => one.name);
  throw new Fault("missing", `there is no user ${name}`, { hint: `There are: ${names.join(", ") || "none"}.` });
}

/** Changes one user and emits what that means. */
function makeChange({ db, events }: AccountNeeds) {
  return <T>(name: string, origin: Origin, work: (tx: Tx, emit: Emit, user: User) => { user: User; more: T }) => {
    const before = requireUser(db, name);
    return events.deed(origin, (tx, emit) => {
      const { user, more } = work(tx, emit, before);
      updateUser(tx, user);
      return { user, more };
    }) as { user: User; more: T };
  };
}

async function add(
  { db, events, clock, passwords, links }: AccountNeeds,
  { name, role, password }: { readonly name: string; readonly role: Role; readonly password: string | undefined },
  origin: Origin,
): Promise<{ user: User; link?: MadeLink }> {
  const requireFree = () => {
    if (selectUserByName(db, name))
      throw new Fault("conflict", `there is a user ${name} already`, { hint: "Choose another name." });
  };
  requireFree();
  const hash = password === undefined ? undefined : await passwords.hash(password);
  requireFree();
  const createdMs = clock.nowMs();
  const id = makeId("usr", { nowMs: () => createdMs, random: cryptoRandom });
  const user: User = { id, name, role, password: hash, createdMs, signedInMs: undefined, disabledMs: undefined };
  return events.deed(origin, (tx, emit) => {
    insertUser(tx, user);
    emit(subjectOf(user), { type: "user.added", role });
    return hash === undefined ? { user, link: links.makeIn(tx, emit, "invite", user) } : { user };
  }) as { user: User; link?: MadeLink };
}
