import type { Migration } from "#disk/migrate.ts";

export const firstLight: Migration = {
  id: 1,
  name: "first light",
  sql: `
    CREATE TABLE event (
      sequence    INTEGER PRIMARY KEY,
      at_ms       INTEGER NOT NULL,
      actor       TEXT NOT NULL,
      subject     TEXT NOT NULL,
      correlation TEXT NOT NULL,
      data        TEXT NOT NULL CHECK (json_valid(data))
    ) STRICT;

    -- Each accepted lab; the newest is the wish.
    CREATE TABLE lab (
      sequence    INTEGER PRIMARY KEY,
      hash        TEXT NOT NULL,
      name        TEXT NOT NULL,
      file        TEXT NOT NULL,
      document    TEXT NOT NULL CHECK (json_valid(document)),
      accepted_ms INTEGER NOT NULL
    ) STRICT;

    -- What each spec hash was made from, so that a plan can say what changed.
    CREATE TABLE spec (
      hash     TEXT PRIMARY KEY,
      service  TEXT NOT NULL,
      fields   TEXT NOT NULL CHECK (json_valid(fields)),
      contract TEXT NOT NULL CHECK (json_valid(contract)),
      used_ms  INTEGER NOT NULL
    ) STRICT;

    -- The loopback port at which a service is found by the others, the same over releases and restarts.
    CREATE TABLE door (
      service TEXT PRIMARY KEY,
      port    INTEGER NOT NULL UNIQUE
    ) STRICT;
  `,
};
