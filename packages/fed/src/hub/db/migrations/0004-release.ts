import type { Migration } from "#disk/migrate.ts";

export const release: Migration = {
  id: 4,
  name: "release",
  sql: `
    -- What can be made to run, for ever the same: the resolved service (secrets by name and version) and what it is made of.
    CREATE TABLE release (
      id          TEXT PRIMARY KEY,
      environment TEXT NOT NULL,
      service     TEXT NOT NULL,
      number      INTEGER NOT NULL,
      -- Hash of all that makes an instance what it is, the artifact included: the label "spec" of its instances.
      spec        TEXT NOT NULL,
      -- Hash of what the lab said, without the artifact.
      wish        TEXT NOT NULL,
      resolved    TEXT NOT NULL CHECK (json_valid(resolved)),
      artifact    TEXT NOT NULL CHECK (json_valid(artifact)),
      made_ms     INTEGER NOT NULL,
      made_by     TEXT NOT NULL,
      UNIQUE (environment, service, number)
    ) STRICT;
    CREATE INDEX release_by_spec ON release (spec);

    -- Each try to make a release the one that serves.
    CREATE TABLE rollout (
      id          TEXT PRIMARY KEY,
      environment TEXT NOT NULL,
      service     TEXT NOT NULL,
      cause       TEXT NOT NULL CHECK (cause IN ('apply', 'deploy', 'rollback', 'promote', 'restart')),
      -- Null until what it is made of has been prepared.
      release     TEXT,
      state       TEXT NOT NULL CHECK (state IN ('preparing', 'rolling', 'done', 'failed', 'cancelled')),
      -- What was asked for, to be taken up again by the next hub.
      request     TEXT NOT NULL CHECK (json_valid(request)),
      reason      TEXT NOT NULL DEFAULT '',
      -- The last lines of the instance that failed.
      output      TEXT NOT NULL DEFAULT '',
      began_ms    INTEGER NOT NULL,
      ended_ms    INTEGER,
      began_by    TEXT NOT NULL,
      correlation TEXT NOT NULL
    ) STRICT;
    CREATE INDEX rollout_by_service ON rollout (environment, service, began_ms);
    -- One at a time for each service and environment.
    CREATE UNIQUE INDEX rollout_open ON rollout (environment, service) WHERE state IN ('preparing', 'rolling');

    -- Images that fed has brought to a machine, with the name that it gave them there ('' for none): what is not here is not fed's to
    -- remove. Image '': builds of the lab in "name" run there.
    CREATE TABLE brought_image (
      machine     TEXT NOT NULL,
      image       TEXT NOT NULL,
      name        TEXT NOT NULL,
      at_ms       INTEGER NOT NULL,
      PRIMARY KEY (machine, image, name)
    ) STRICT;

    -- Which release is wanted of each service, and what somebody has said besides the lab.
    CREATE TABLE wanted (
      environment TEXT NOT NULL,
      service     TEXT NOT NULL,
      -- Null until the first one is prepared.
      release     TEXT,
      -- What the lab said when this release was chosen: only another word of the lab's makes a new one.
      wish        TEXT NOT NULL DEFAULT '',
      stopped     INTEGER NOT NULL DEFAULT 0,
      -- In place of the lab's number of replicas, until the lab says another one.
      replicas    INTEGER,
      lab_replicas INTEGER,
      PRIMARY KEY (environment, service)
    ) STRICT;

    -- Values of the lab's secrets, sealed as those of the vault are. Environment '' is for all that have none of their own.
    CREATE TABLE secret_value (
      name        TEXT NOT NULL,
      environment TEXT NOT NULL,
      version     INTEGER NOT NULL,
      key_id      TEXT NOT NULL,
      -- Null once it was removed and no release needs it any more.
      sealed      BLOB,
      set_ms      INTEGER NOT NULL,
      set_by      TEXT NOT NULL,
      -- When it was removed: nothing new gets it.
      removed_ms  INTEGER,
      PRIMARY KEY (name, environment, version)
    ) STRICT;

    -- Output of instances that are gone, in files of the data folder.
    CREATE TABLE kept_log (
      instance    TEXT PRIMARY KEY,
      environment TEXT NOT NULL,
      service     TEXT NOT NULL,
      release     TEXT,
      started_ms  INTEGER NOT NULL,
      ended_ms    INTEGER NOT NULL,
      exit        TEXT NOT NULL DEFAULT '',
      size_bytes  INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX kept_log_by_service ON kept_log (environment, service, ended_ms);
  `,
};
