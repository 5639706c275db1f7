import { type Argon2Parameters, createHash } from "node:crypto";
import { silentTrace } from "#base/trace.ts";
import { everything, type Scene as LogScene, makeScene as makeLogScene } from "#hub/event/event.scene.ts";
import type { FedEvent } from "#wire/event.ts";
import type { Role } from "#wire/role.ts";
import { openPasswords } from "./password.ts";
import type { From } from "./session.ts";
import type { User } from "./user.ts";
import { openUsers, type Users } from "./verbs.ts";

export const origin = { actor: "user:root", correlation: "cor_admin" };
export const from: From = { address: "192.0.2.1", agent: "test", correlation: "cor_1" };
export const localToken = "local token of this machine, 43 letters long";
export const signingKey = new Uint8Array(32).fill(7);
export const minuteMs = 60_000;
export const dayMs = 86_400_000;

/** Stands in for argon2: as sensitive to each parameter, but cheap; and it can be held. */
export interface CheapDerive {
  readonly derive: NonNullable<Parameters<typeof openPasswords>[0]>;
  /** What was computed so far. */
  readonly asked: Argon2Parameters[];
  /** From now on nothing is computed until the returned function is called. */
  hold(): () => void;
}

export function makeCheapDerive(): CheapDerive {
  const asked: Argon2Parameters[] = [];
  let gate = Promise.resolve();
  return {
    asked,
    async derive(algorithm, parameters) {
      asked.push(parameters);
      await gate;
      const { message, nonce, memory, passes, parallelism, tagLength } = parameters;
      const hash = createHash("sha512").update(JSON.stringify([algorithm, memory, passes, parallelism, tagLength]));
      return hash
        .update(nonce as Uint8Array)
        .update(message as string)
        .digest()
        .subarray(0, tagLength);
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
  };
}

export interface Scene extends LogScene {
  readonly users: Users;
  readonly derive: CheapDerive;
  /** Adds somebody who can sign in with `passwordOf(name)`. */
  add(name: string, role?: Role): Promise<User>;
  /** A hub that starts anew on the same database. */
  openAgain(): Users;
  /** The events so far, the oldest first. */
  events(): readonly FedEvent[];
  /** Only what happened since the last time it was asked, as `type subject`. */
  news(): readonly string[];
}

export const passwordOf = (name: string) => `the password of ${name.toLowerCase()}`;

/** Users in a control database of their own, with passwords that cost nothing. */
export function makeScene(): Scene {
  const scene = makeLogScene();
  const { db, log, clock } = scene;
  const derive = makeCheapDerive();
  const passwords = openPasswords(derive.derive);
  const openAgain = () => openUsers({ db, events: log, clock, trace: silentTrace, signingKey, localToken, passwords });
  const users = openAgain();
  const events = () => log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 100_000 }).toReversed();
  let told = 0;
  return {
    ...{ ...scene, users, derive, openAgain, events },
    add: async (name, role = "viewer") => (await users.add(name, role, passwordOf(name), origin)).user,
    news() {
      const fresh = events().filter(({ sequence }) => sequence > told);
      told = log.last;
      return fresh.map(({ type, subject }) => `${type} ${subject}`);
    },
  };
}

/** All that the database holds, row by row. */
export function everyText({ db }: Pick<LogScene, "db">): string {
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", (row) =>
      String(row.name),
    )
    .all();
  const rows = tables.flatMap((table) => db.prepare(`SELECT * FROM "${table}"`, (row) => JSON.stringify(row)).all());
  return rows.join("\n");
}

/** The fault that it ends with, as `code: message`; what is no fault is thrown on. */
export async function faultOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return "no fault";
}
