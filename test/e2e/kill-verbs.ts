import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { systemClock as clock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace as trace } from "../../packages/fed/src/base/trace.ts";
import { migrations, openControl } from "../../packages/fed/src/hub/db/db.ts";
import { openEventLog } from "../../packages/fed/src/hub/event/verbs.ts";
import { wireUser } from "../../packages/fed/src/hub/user/user.ts";
import { openUsers } from "../../packages/fed/src/hub/user/verbs.ts";
import type { Dice } from "./dice.ts";
import type { Said } from "./kill-writer.ts";
import { type Found, rowsOf } from "./ledger.ts";
import { startProgram } from "./program.ts";

/** The hub's own verbs in a program of a few lines, killed: many more kills for the time. */

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-kill-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A database as the first release left it, with so many events. */
export function fillFirstRelease(folder: string, count: number): void {
  const db = openControl(folder, { migrations: migrations.slice(0, 1) });
  db.tx((tx) => {
    for (let n = 1; n <= count; n++) {
      tx.run(
        `INSERT INTO event (sequence, at_ms, actor, subject, correlation, data)
         VALUES (:n, :n, 'hub', 'service:dev/api', 'cor', '{"type":"instance.stopped","instance":"ins_1"}')`,
        { n },
      );
    }
  });
  db.close();
}

/** What the writer said before it was killed, at most so long after it opened the database. */
export async function writeUntilKilled(folder: string, dice: Dice, longestMs: number): Promise<readonly Said[]> {
  const writer = join(import.meta.dirname, "kill-writer.ts");
  const program = startProgram(process.execPath, [writer, folder, String(dice.below(2 ** 31))]);
  await program.says(/^begin\n/);
  await pause(dice.below(longestMs));
  program.child.kill("SIGKILL");
  const { code, out, err } = await program.ending;
  if (code !== null) throw new Error(`the writer ended with ${code}: ${err}`);
  // The last one may be half a line.
  return out
    .split("\n")
    .slice(1, -1)
    .map((line): Said => JSON.parse(line));
}

/** What the next hub would find: opened on a copy, so that the log of the killed one stays for the next to find. */
export async function openCopy(folder: string): Promise<Found> {
  const copy = join(await makeFolder(), "copy");
  await mkdir(copy);
  for (const name of ["control.db", "control.db-wal", "control.db-journal"])
    await cp(join(folder, name), join(copy, name)).catch(() => undefined);
  const db = openControl(copy);
  try {
    const events = openEventLog({ db, clock, trace });
    const keys = { signingKey: new Uint8Array(32), localToken: "0".repeat(43) };
    const users = openUsers({ db, events, clock, trace, ...keys });
    const verdict = await events.verify();
    const machines = db
      .prepare("SELECT name, state FROM machine", ({ name, state }) => [`machine:${name}`, String(state)] as const)
      .all();
    const rows = rowsOf(users.tokens.list({ kind: "local" }), users.list().map(wireUser));
    return {
      verdict,
      events: events.list({ types: [], subject: undefined, before: undefined, sinceMs: undefined, limit: 1e6 }),
      rows: new Map([...rows, ...machines]),
    };
  } finally {
    db.close();
  }
}
