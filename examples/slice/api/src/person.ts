import { createHash, randomBytes } from "node:crypto";
import type { Sql } from "postgres";
import { hashPassword, isPassword } from "./password.ts";

export interface Person {
  readonly id: string;
  readonly name: string;
}

const sessionDays = 30;
const failureLimit = 10;
const failureWindowMs = 15 * 60_000;
/** Of the sign-ins that failed, by name; the oldest make room. */
const failures = new Map<string, { count: number; readonly untilMs: number }>();
const mostFailures = 10_000;

const tokenHash = (token: string) => createHash("sha256").update(token).digest();

/** Undefined when the name is taken. */
export async function addPerson(sql: Sql, name: string, password: string): Promise<Person | undefined> {
  const hash = await hashPassword(password);
  const [row] = await sql<Person[]>`
    insert into person (name, password) values (${name}, ${hash}) on conflict (name) do nothing returning id, name`;
  return row;
}

export type SignIn =
  | { readonly kind: "person"; readonly person: Person }
  | { readonly kind: "wrong" }
  | { readonly kind: "limited" };

export async function signIn(sql: Sql, name: string, password: string): Promise<SignIn> {
  if (isLimited(name)) return { kind: "limited" };
  const [row] = await sql<(Person & { password: string })[]>`
    select id, name, password from person where name = ${name}`;
  if (!(await isPassword(password, row?.password)) || row === undefined) {
    noteFailure(name);
    return { kind: "wrong" };
  }
  failures.delete(name);
  return { kind: "person", person: { id: row.id, name: row.name } };
}

function isLimited(name: string): boolean {
  const found = failures.get(name);
  if (found !== undefined && found.untilMs < Date.now()) failures.delete(name);
  return (failures.get(name)?.count ?? 0) >= failureLimit;
}

function noteFailure(name: string): void {
  const found = failures.get(name);
  if (found !== undefined) found.count++;
  else failures.set(name, { count: 1, untilMs: Date.now() + failureWindowMs });
  const [oldest] = failures.keys();
  if (failures.size > mostFailures && oldest !== undefined) failures.delete(oldest);
}

/** The token of a new session: told once, kept as its hash. */
export async function openSession(sql: Sql, person: Person): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  await sql`delete from session where until < now()`;
  await sql`insert into session (token, person, until)
    values (${tokenHash(token)}, ${person.id}, now() + make_interval(days => ${sessionDays}))`;
  return token;
}

export async function personOf(sql: Sql, token: string): Promise<Person | undefined> {
  const [row] = await sql<Person[]>`
    select person.id, person.name from session join person on person.id = session.person
    where session.token = ${tokenHash(token)} and session.until > now()`;
  return row;
}

export async function closeSession(sql: Sql, token: string): Promise<void> {
  await sql`delete from session where token = ${tokenHash(token)}`;
}

export const sessionSeconds = sessionDays * 86_400;
