import { createHash } from "node:crypto";
import type { Migration } from "#disk/migrate.ts";

/**
 * The events become a chain: each carries the hash of itself and the one before. Those that are there already are
 * chained as they are found.
 */
export const usersAndChain: Migration = {
  id: 2,
  name: "users and chain",
  sql: `
    ALTER TABLE event RENAME TO event_before;
    CREATE TABLE event (
      sequence    INTEGER PRIMARY KEY,
      at_ms       INTEGER NOT NULL,
      type        TEXT NOT NULL,
      actor       TEXT NOT NULL,
      subject     TEXT NOT NULL,
      correlation TEXT NOT NULL,
      data        TEXT NOT NULL CHECK (json_valid(data)),
      hash        TEXT NOT NULL
    ) STRICT;
    INSERT INTO event (sequence, at_ms, type, actor, subject, correlation, data, hash)
      SELECT sequence, at_ms, json_extract(data, '$.type'), actor, subject, correlation, json_remove(data, '$.type'), ''
      FROM event_before ORDER BY sequence;
    DROP TABLE event_before;
    CREATE INDEX event_by_type ON event (type, sequence);
    CREATE INDEX event_by_subject ON event (subject, sequence);
    CREATE INDEX event_by_time ON event (at_ms);

    -- Where the chain that is kept begins: sequence and hash of the last event that retention dropped; 0 and '' before.
    CREATE TABLE event_base (
      id       INTEGER PRIMARY KEY CHECK (id = 1),
      sequence INTEGER NOT NULL,
      hash     TEXT NOT NULL
    ) STRICT;
    INSERT INTO event_base (id, sequence, hash)
      VALUES (1, coalesce((SELECT min(sequence) - 1 FROM event), 0), '');

    -- The log is only added to: retention first moves the base on, then drops what lies before it. Only an event that has
    -- no hash yet (see \`fill\`) may be given one.
    CREATE TRIGGER event_is_added BEFORE INSERT ON event
      WHEN NEW.sequence <= max((SELECT sequence FROM event_base),
                               coalesce((SELECT sequence FROM event ORDER BY sequence DESC LIMIT 1), 0))
      BEGIN SELECT RAISE(ABORT, 'an event comes after all others'); END;
    CREATE TRIGGER event_stays_as_written BEFORE UPDATE ON event
      WHEN OLD.hash <> ''
      BEGIN SELECT RAISE(ABORT, 'an event stays as it was written'); END;
    CREATE TRIGGER event_is_kept BEFORE DELETE ON event
      WHEN OLD.sequence > (SELECT sequence FROM event_base)
      BEGIN SELECT RAISE(ABORT, 'an event is kept until retention has moved the base of the log past it'); END;
    CREATE TRIGGER event_base_goes_on BEFORE UPDATE ON event_base
      WHEN NEW.id <> OLD.id OR NEW.sequence <= OLD.sequence
      BEGIN SELECT RAISE(ABORT, 'the base of the log only moves on'); END;
    CREATE TRIGGER event_base_is_one BEFORE DELETE ON event_base
      BEGIN SELECT RAISE(ABORT, 'the base of the log stays'); END;

    CREATE TABLE user (
      id           TEXT PRIMARY KEY,
      name         TEXT NOT NULL UNIQUE COLLATE NOCASE,
      role         TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
      -- argon2id with its parameters and salt; NULL until one is chosen.
      password     TEXT,
      created_ms   INTEGER NOT NULL,
      signed_in_ms INTEGER,
      disabled_ms  INTEGER
    ) STRICT;

    -- A browser's session, or the family of refresh tokens of a program. Secrets are stored as their SHA-256.
    CREATE TABLE session (
      id          TEXT PRIMARY KEY,
      user        TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
      kind        TEXT NOT NULL CHECK (kind IN ('browser', 'client')),
      -- Of the cookie; NULL for a program.
      secret      TEXT UNIQUE,
      address     TEXT NOT NULL,
      agent       TEXT NOT NULL,
      created_ms  INTEGER NOT NULL,
      used_ms     INTEGER NOT NULL,
      expires_ms  INTEGER NOT NULL,
      ended_ms    INTEGER
    ) STRICT;
    CREATE INDEX session_by_user ON session (user);

    -- The refresh token that comes next; those before it are known by the hub's signature on them.
    CREATE TABLE refresh (
      secret     TEXT PRIMARY KEY,
      session    TEXT NOT NULL UNIQUE REFERENCES session (id) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE api_token (
      id         TEXT PRIMARY KEY,
      name       TEXT NOT NULL,
      prefix     TEXT NOT NULL,
      secret     TEXT NOT NULL UNIQUE,
      role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
      -- NULL: made on the hub's machine without a login.
      user       TEXT REFERENCES user (id) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL,
      expires_ms INTEGER,
      used_ms    INTEGER,
      revoked_ms INTEGER
    ) STRICT;

    -- Links of one use to choose a password with.
    CREATE TABLE link (
      secret     TEXT PRIMARY KEY,
      purpose    TEXT NOT NULL CHECK (purpose IN ('first', 'invite', 'reset', 'rescue')),
      -- Whose; NULL when its holder chooses a name too.
      user       TEXT REFERENCES user (id) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL
    ) STRICT;

    -- What was observed of each machine last, so that "last seen" outlives the hub.
    CREATE TABLE machine (
      name     TEXT PRIMARY KEY,
      kind     TEXT NOT NULL CHECK (kind IN ('server', 'workstation')),
      state    TEXT NOT NULL CHECK (state IN ('unknown', 'online', 'away', 'offline')),
      since_ms INTEGER NOT NULL,
      seen_ms  INTEGER,
      facts    TEXT CHECK (facts IS NULL OR json_valid(facts))
    ) STRICT;

    -- How often somebody asked for a restart; part of what a service's spec is made of.
    CREATE TABLE restart (
      service    TEXT PRIMARY KEY,
      generation INTEGER NOT NULL,
      asked_ms   INTEGER NOT NULL
    ) STRICT;
  `,
  fill(tx) {
    const events = tx
      .prepare(
        "SELECT sequence, at_ms, type, actor, subject, correlation, data FROM event ORDER BY sequence",
        (row) => row,
      )
      .all();
    let before = "";
    for (const { sequence, at_ms, type, actor, subject, correlation, data } of events) {
      const text = JSON.stringify([before, sequence, at_ms, type, actor, subject, correlation, data]);
      before = createHash("sha256").update(text).digest("hex");
      tx.run("UPDATE event SET hash = :hash WHERE sequence = :sequence", { hash: before, sequence: Number(sequence) });
    }
  },
};
