import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import type { Settings } from "./setting.ts";

const folder = join(import.meta.dirname, "../migration");
/** Of the lock under which one instance migrates while others wait. */
const lockNumber = 7_105;

export function openDatabase({ host, port, password }: Settings["database"]): Sql {
  return postgres({
    ...{ host, port, password, username: "slice", database: "slice" },
    ...{ max: 5, connect_timeout: 5, onnotice: () => {} },
    // Seconds until it is tried again: a restart of the database should be over soon.
    backoff: () => 0.25,
  });
}

/** Waits until the database answers; throws what it said last when that takes too long. */
export async function untilReachable(sql: Sql, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    try {
      await sql`select 1`;
      return;
    } catch (thrown) {
      if (performance.now() > endMs) throw thrown;
      await pause(250);
    }
  }
}

/**
 * Runs each file of `migration/` once, in the order of their names, each as one transaction. Answers those that it ran. A
 * migration leaves what the release before it needs: that one serves until this one is healthy, and again after a rollback.
 */
export async function migrate(sql: Sql): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const connection = await sql.reserve();
  try {
    await connection`select pg_advisory_lock(${lockNumber})`;
    await connection`create table if not exists migration (name text primary key, at timestamptz not null default now())`;
    const rows = await connection<{ name: string }[]>`select name from migration`;
    const done = new Set(rows.map(({ name }) => name));
    const open = names.filter((name) => !done.has(name));
    for (const name of open) {
      const text = await readFile(join(folder, name), "utf8");
      const record = `insert into migration (name) values ('${name.replaceAll("'", "''")}')`;
      // Several statements in one message are one transaction.
      await connection.unsafe(`begin;\n${text}\n;${record};\ncommit;`);
    }
    return open;
  } finally {
    await connection`select pg_advisory_unlock(${lockNumber})`.catch(() => undefined);
    connection.release();
  }
}
