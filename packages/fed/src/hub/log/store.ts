import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
import type { KeptLog } from "./log.ts";

const columns = "instance, environment, service, release, started_ms, ended_ms, exit, size_bytes";

/** Of one service, the oldest first. */
export function selectLogs(db: Reader, environment: string, service: string): readonly KeptLog[] {
  return db
    .prepare(
      `SELECT ${columns} FROM kept_log WHERE environment = :environment AND service = :service
       ORDER BY ended_ms, instance`,
      readLog,
    )
    .all({ environment, service });
}

export function selectAllLogs(db: Reader): readonly KeptLog[] {
  return db.prepare(`SELECT ${columns} FROM kept_log`, readLog).all();
}

export function findLog(db: Reader, instance: string): KeptLog | undefined {
  return db.prepare(`SELECT ${columns} FROM kept_log WHERE instance = :instance`, readLog).first({ instance });
}

/** In the place of what was kept of the instance before. */
export function saveLog(tx: Tx, log: KeptLog): void {
  tx.run(
    `INSERT OR REPLACE INTO kept_log (${columns})
     VALUES (:instance, :environment, :service, :release, :startedMs, :endedMs, :exit, :sizeBytes)`,
    // A file's time has parts of a millisecond, and the columns hold none.
    {
      ...{ ...log, release: log.release ?? null },
      ...{ startedMs: Math.floor(log.startedMs), endedMs: Math.floor(log.endedMs) },
    },
  );
}

export function deleteLog(tx: Tx, instance: string): void {
  tx.run("DELETE FROM kept_log WHERE instance = :instance", { instance });
}

function readLog(row: SqlRow): KeptLog {
  return {
    instance: String(row.instance),
    environment: String(row.environment),
    service: String(row.service),
    release: row.release === null ? undefined : String(row.release),
    startedMs: Number(row.started_ms),
    endedMs: Number(row.ended_ms),
    exit: String(row.exit),
    sizeBytes: Number(row.size_bytes),
  };
}
