import type { Migration } from "#disk/migrate.ts";

export const fleet: Migration = {
  id: 3,
  name: "fleet",
  sql: `
    -- A machine may be degraded, and under maintenance.
    CREATE TABLE machine_after (
      name     TEXT PRIMARY KEY,
      kind     TEXT NOT NULL CHECK (kind IN ('server', 'workstation')),
      state    TEXT NOT NULL CHECK (state IN ('unknown', 'online', 'degraded', 'away', 'offline')),
      since_ms INTEGER NOT NULL,
      seen_ms  INTEGER,
      facts    TEXT CHECK (facts IS NULL OR json_valid(facts)),
      maintenance TEXT CHECK (maintenance IS NULL OR json_valid(maintenance))
    ) STRICT;
    INSERT INTO machine_after (name, kind, state, since_ms, seen_ms, facts)
      SELECT name, kind, state, since_ms, seen_ms, facts FROM machine;
    DROP TABLE machine;
    ALTER TABLE machine_after RENAME TO machine;

    -- Machines that are in the fleet without standing in the lab file.
    CREATE TABLE machine_added (
      name     TEXT PRIMARY KEY,
      mode     TEXT NOT NULL CHECK (mode IN ('ssh', 'push')),
      document TEXT NOT NULL CHECK (json_valid(document)),
      added_ms INTEGER NOT NULL,
      added_by TEXT NOT NULL
    ) STRICT;

    -- The keys by which SSH knows machines, and the other one that a machine showed.
    CREATE TABLE host_key (
      machine     TEXT NOT NULL,
      type        TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      state       TEXT NOT NULL CHECK (state IN ('trusted', 'offered')),
      since_ms    INTEGER NOT NULL,
      PRIMARY KEY (machine, type, state)
    ) STRICT;

    -- Tokens with which a machine joins, once. Only their hashes are kept.
    CREATE TABLE join_token (
      hash       TEXT PRIMARY KEY,
      machine    TEXT NOT NULL,
      kind       TEXT NOT NULL CHECK (kind IN ('server', 'workstation')),
      created_ms INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      expires_ms INTEGER NOT NULL,
      used_ms    INTEGER
    ) STRICT;

    -- Machines that report by themselves: the hash of what each shows, and the last tick that is kept.
    CREATE TABLE agent (
      machine    TEXT PRIMARY KEY,
      credential TEXT NOT NULL UNIQUE,
      joined_ms  INTEGER NOT NULL,
      sequence   INTEGER NOT NULL DEFAULT 0,
      version    TEXT NOT NULL DEFAULT '',
      leaving    INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- Secrets, each sealed by the master key whose id it bears. The scope is '' for all machines, or a machine's name.
    CREATE TABLE vault (
      scope   TEXT NOT NULL,
      name    TEXT NOT NULL,
      key_id  TEXT NOT NULL,
      sealed  BLOB NOT NULL,
      set_ms  INTEGER NOT NULL,
      set_by  TEXT NOT NULL,
      PRIMARY KEY (scope, name)
    ) STRICT;

    -- By which master key the vault is sealed: its id, and a known text that only it opens.
    CREATE TABLE vault_key (
      id      TEXT PRIMARY KEY,
      proof   BLOB NOT NULL,
      made_ms INTEGER NOT NULL
    ) STRICT;
  `,
};
