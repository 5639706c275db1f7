import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
import { type Role, roleShape } from "#wire/role.ts";
import type { ApiToken, Session, User } from "./user.ts";

const optional = (value: SqlRow[string] | undefined) =>
  value === null || value === undefined ? undefined : Number(value);
const optionalText = (value: SqlRow[string] | undefined) =>
  value === null || value === undefined ? undefined : String(value);
const readRole = (value: SqlRow[string] | undefined): Role => roleShape.parse(value);

// ---- users

const readUser = (row: SqlRow): User => ({
  id: String(row.id),
  name: String(row.name),
  role: readRole(row.role),
  password: optionalText(row.password),
  createdMs: Number(row.created_ms),
  signedInMs: optional(row.signed_in_ms),
  disabledMs: optional(row.disabled_ms),
});

const userColumns = "id, name, role, password, created_ms, signed_in_ms, disabled_ms";

export function selectUsers(db: Reader): readonly User[] {
  return db.prepare(`SELECT ${userColumns} FROM user ORDER BY name`, readUser).all();
}

export function selectUser(db: Reader, id: string): User | undefined {
  return db.prepare(`SELECT ${userColumns} FROM user WHERE id = :id`, readUser).first({ id });
}

/** Upper and lower case are one. */
export function selectUserByName(db: Reader, name: string): User | undefined {
  return db.prepare(`SELECT ${userColumns} FROM user WHERE name = :name`, readUser).first({ name });
}

export function insertUser(tx: Tx, user: User): void {
  tx.run(
    `INSERT INTO user (${userColumns})
     VALUES (:id, :name, :role, :password, :createdMs, :signedInMs, :disabledMs)`,
    userParams(user),
  );
}

export function updateUser(tx: Tx, user: User): void {
  tx.run(
    `UPDATE user SET name = :name, role = :role, password = :password, created_ms = :createdMs,
       signed_in_ms = :signedInMs, disabled_ms = :disabledMs WHERE id = :id`,
    userParams(user),
  );
}

/** Of the last sign-in. */
export function touchUser(tx: Tx, id: string, nowMs: number): void {
  tx.run("UPDATE user SET signed_in_ms = :nowMs WHERE id = :id", { id, nowMs });
}

const userParams = (user: User) => ({
  ...user,
  password: user.password ?? null,
  signedInMs: user.signedInMs ?? null,
  disabledMs: user.disabledMs ?? null,
});

// ---- sessions

const readSession = (row: SqlRow): Session => ({
  id: String(row.id),
  userId: String(row.user),
  kind: row.kind === "browser" ? "browser" : "client",
  createdMs: Number(row.created_ms),
  usedMs: Number(row.used_ms),
  expiresMs: Number(row.expires_ms),
  endedMs: optional(row.ended_ms),
});

const sessionColumns = "id, user, kind, created_ms, used_ms, expires_ms, ended_ms";

export interface NewSession extends Omit<Session, "usedMs" | "endedMs"> {
  /** Hash of the cookie; undefined for a program. */
  readonly secret: string | undefined;
  readonly address: string;
  readonly agent: string;
}

export function insertSession(tx: Tx, session: NewSession): void {
  tx.run(
    `INSERT INTO session (id, user, kind, secret, address, agent, created_ms, used_ms, expires_ms)
     VALUES (:id, :userId, :kind, :secret, :address, :agent, :createdMs, :createdMs, :expiresMs)`,
    { ...session, secret: session.secret ?? null },
  );
}

export function selectSession(db: Reader, id: string): Session | undefined {
  return db.prepare(`SELECT ${sessionColumns} FROM session WHERE id = :id`, readSession).first({ id });
}

export function selectSessionBySecret(db: Reader, secret: string): Session | undefined {
  return db.prepare(`SELECT ${sessionColumns} FROM session WHERE secret = :secret`, readSession).first({ secret });
}

/** Those that nobody has ended, the one used longest ago first. */
export function selectOpenSessions(db: Reader, userId: string): readonly Session[] {
  return db
    .prepare(
      `SELECT ${sessionColumns} FROM session WHERE user = :userId AND ended_ms IS NULL ORDER BY used_ms, id`,
      readSession,
    )
    .all({ userId });
}

export function touchSession(tx: Tx, id: string, nowMs: number): void {
  tx.run("UPDATE session SET used_ms = :nowMs WHERE id = :id", { id, nowMs });
}

export function endSession(tx: Tx, id: string, nowMs: number): void {
  tx.run("UPDATE session SET ended_ms = :nowMs WHERE id = :id AND ended_ms IS NULL", { id, nowMs });
}

/** Forgets what has been over for long enough that nobody can show it any more; how many. */
export function dropSessions(tx: Tx, endedBeforeMs: number, usedBeforeMs: number, expiredBeforeMs: number): number {
  const { changedRows } = tx.run(
    "DELETE FROM session WHERE ended_ms < :endedBeforeMs OR used_ms < :usedBeforeMs OR expires_ms < :expiredBeforeMs",
    { endedBeforeMs, usedBeforeMs, expiredBeforeMs },
  );
  return changedRows;
}

// ---- refresh tokens

export function insertRefresh(tx: Tx, secret: string, sessionId: string, createdMs: number): void {
  tx.run("INSERT INTO refresh (secret, session, created_ms) VALUES (:secret, :sessionId, :createdMs)", {
    secret,
    sessionId,
    createdMs,
  });
}

/** The session whose next refresh token this is. */
export function selectSessionByRefresh(db: Reader, secret: string): string | undefined {
  return db
    .prepare("SELECT session FROM refresh WHERE secret = :secret", (row) => String(row.session))
    .first({ secret });
}

/** The one before is forgotten. */
export function renewRefresh(tx: Tx, sessionId: string, secret: string, nowMs: number): void {
  tx.run("UPDATE refresh SET secret = :secret, created_ms = :nowMs WHERE session = :sessionId", {
    secret,
    nowMs,
    sessionId,
  });
}

// ---- API tokens

const readToken = (row: SqlRow): ApiToken => ({
  id: String(row.id),
  name: String(row.name),
  prefix: String(row.prefix),
  role: readRole(row.role),
  userId: optionalText(row.user),
  createdMs: Number(row.created_ms),
  expiresMs: optional(row.expires_ms),
  usedMs: optional(row.used_ms),
  revokedMs: optional(row.revoked_ms),
});

const tokenColumns = "id, name, prefix, role, user, created_ms, expires_ms, used_ms, revoked_ms";

export function insertToken(tx: Tx, token: ApiToken, secret: string): void {
  tx.run(
    `INSERT INTO api_token (${tokenColumns}, secret)
     VALUES (:id, :name, :prefix, :role, :userId, :createdMs, :expiresMs, NULL, NULL, :secret)`,
    {
      id: token.id,
      name: token.name,
      prefix: token.prefix,
      role: token.role,
      userId: token.userId ?? null,
      createdMs: token.createdMs,
      expiresMs: token.expiresMs ?? null,
      secret,
    },
  );
}

/** Of everybody, the newest first. */
export function selectTokens(db: Reader, limit: number): readonly ApiToken[] {
  return db
    .prepare(`SELECT ${tokenColumns} FROM api_token ORDER BY created_ms DESC, id DESC LIMIT :limit`, readToken)
    .all({ limit });
}

/** Of one user, the newest first. */
export function selectTokensOf(db: Reader, userId: string): readonly ApiToken[] {
  return db
    .prepare(`SELECT ${tokenColumns} FROM api_token WHERE user = :userId ORDER BY created_ms DESC, id DESC`, readToken)
    .all({ userId });
}

export function dropToken(tx: Tx, id: string): void {
  tx.run("DELETE FROM api_token WHERE id = :id", { id });
}

export function selectToken(db: Reader, id: string): ApiToken | undefined {
  return db.prepare(`SELECT ${tokenColumns} FROM api_token WHERE id = :id`, readToken).first({ id });
}

export function selectTokenBySecret(db: Reader, secret: string): ApiToken | undefined {
  return db.prepare(`SELECT ${tokenColumns} FROM api_token WHERE secret = :secret`, readToken).first({ secret });
}

export function touchToken(tx: Tx, id: string, nowMs: number): void {
  tx.run("UPDATE api_token SET used_ms = :nowMs WHERE id = :id", { id, nowMs });
}

export function revokeToken(tx: Tx, id: string, nowMs: number): void {
  tx.run("UPDATE api_token SET revoked_ms = :nowMs WHERE id = :id", { id, nowMs });
}

/** Forgets tokens that have been good for nothing for long. */
export function dropTokens(tx: Tx, beforeMs: number): void {
  tx.run("DELETE FROM api_token WHERE revoked_ms < :beforeMs OR expires_ms < :beforeMs", { beforeMs });
}

// ---- links

export type Purpose = "first" | "invite" | "reset" | "rescue";

export interface LinkRow {
  readonly purpose: Purpose;
  readonly userId: string | undefined;
  readonly createdMs: number;
  readonly expiresMs: number;
}

export function insertLink(tx: Tx, secret: string, link: LinkRow): void {
  tx.run(
    `INSERT INTO link (secret, purpose, user, created_ms, expires_ms)
     VALUES (:secret, :purpose, :userId, :createdMs, :expiresMs)`,
    { secret, ...link, userId: link.userId ?? null },
  );
}

export function selectLink(db: Reader, secret: string): LinkRow | undefined {
  return db
    .prepare("SELECT purpose, user, created_ms, expires_ms FROM link WHERE secret = :secret", (row) => ({
      purpose: String(row.purpose) as Purpose,
      userId: optionalText(row.user),
      createdMs: Number(row.created_ms),
      expiresMs: Number(row.expires_ms),
    }))
    .first({ secret });
}

/** True when it was there: of two who use it at once, one gets true. */
export function takeLink(tx: Tx, secret: string): boolean {
  return tx.run("DELETE FROM link WHERE secret = :secret", { secret }).changedRows === 1;
}

export function dropLinksFor(tx: Tx, userId: string): void {
  tx.run("DELETE FROM link WHERE user = :userId", { userId });
}

/** Only those whose holder chooses a name. */
export function dropLinksOf(tx: Tx, purpose: Purpose): void {
  tx.run("DELETE FROM link WHERE purpose = :purpose AND user IS NULL", { purpose });
}

export function dropLinksBefore(tx: Tx, nowMs: number): void {
  tx.run("DELETE FROM link WHERE expires_ms < :nowMs", { nowMs });
}
