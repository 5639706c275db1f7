import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
import type { Agent, JoinToken } from "./agent.ts";

export function selectToken(db: Reader, hash: string): JoinToken | undefined {
  return db
    .prepare(
      `SELECT hash, machine, kind, created_ms, created_by, expires_ms, used_ms FROM join_token WHERE hash = :hash`,
      (row): JoinToken => ({
        ...{ hash: String(row.hash), machine: String(row.machine) },
        kind: row.kind === "workstation" ? "workstation" : "server",
        ...{ createdMs: Number(row.created_ms), createdBy: String(row.created_by), expiresMs: Number(row.expires_ms) },
        usedMs: row.used_ms === null ? undefined : Number(row.used_ms),
      }),
    )
    .first({ hash });
}

export function insertToken(tx: Tx, token: JoinToken): void {
  tx.run(
    `INSERT INTO join_token (hash, machine, kind, created_ms, created_by, expires_ms)
     VALUES (:hash, :machine, :kind, :createdMs, :createdBy, :expiresMs)`,
    {
      ...{ hash: token.hash, machine: token.machine, kind: token.kind, createdMs: token.createdMs },
      ...{ createdBy: token.createdBy, expiresMs: token.expiresMs },
    },
  );
}

/** False when somebody else was quicker. */
export function takeToken(tx: Tx, hash: string, usedMs: number): boolean {
  const change = tx.run("UPDATE join_token SET used_ms = :usedMs WHERE hash = :hash AND used_ms IS NULL", {
    ...{ hash, usedMs },
  });
  return change.changedRows === 1;
}

export function dropTokensBefore(tx: Tx, expiresMs: number): void {
  tx.run("DELETE FROM join_token WHERE expires_ms < :expiresMs", { expiresMs });
}

/** Those that nobody has used: who asks for another one means that one only. */
export function dropUnusedTokens(tx: Tx, machine: string): void {
  tx.run("DELETE FROM join_token WHERE machine = :machine AND used_ms IS NULL", { machine });
}

const columns = "machine, credential, joined_ms, sequence, version, leaving";

function readAgent(row: SqlRow): Agent {
  return {
    ...{ machine: String(row.machine), credential: String(row.credential), joinedMs: Number(row.joined_ms) },
    ...{ sequence: Number(row.sequence), version: String(row.version), leaving: row.leaving === 1 },
  };
}

export function selectAgent(db: Reader, machine: string): Agent | undefined {
  return db.prepare(`SELECT ${columns} FROM agent WHERE machine = :machine`, readAgent).first({ machine });
}

export function selectAgentByCredential(db: Reader, credential: string): Agent | undefined {
  return db.prepare(`SELECT ${columns} FROM agent WHERE credential = :credential`, readAgent).first({ credential });
}

/** In the place of the one that had its name. */
export function saveAgent(tx: Tx, agent: Agent): void {
  tx.run(
    `INSERT INTO agent (machine, credential, joined_ms, sequence, version, leaving)
     VALUES (:machine, :credential, :joinedMs, :sequence, :version, :leaving)
     ON CONFLICT (machine) DO UPDATE SET credential = :credential, joined_ms = :joinedMs, sequence = :sequence,
       version = :version, leaving = :leaving`,
    { ...agent, leaving: agent.leaving ? 1 : 0 },
  );
}

/** How far its ticks are kept; nothing for one that has joined anew meanwhile. */
export function noteProgress(tx: Tx, agent: Pick<Agent, "machine" | "joinedMs" | "sequence" | "version">): void {
  tx.run(
    `UPDATE agent SET sequence = max(sequence, :sequence), version = :version
     WHERE machine = :machine AND joined_ms = :joinedMs`,
    { machine: agent.machine, joinedMs: agent.joinedMs, sequence: agent.sequence, version: agent.version },
  );
}

export function markLeaving(tx: Tx, machine: string): void {
  tx.run("UPDATE agent SET leaving = 1 WHERE machine = :machine", { machine });
}

export function deleteAgent(tx: Tx, machine: string): void {
  tx.run("DELETE FROM agent WHERE machine = :machine", { machine });
}
