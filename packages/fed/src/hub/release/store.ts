import type { Reader, SqlRow, Tx } from "#disk/sqlite.ts";
import type { RolloutCause, RolloutState } from "#wire/release.ts";
import type { Artifact, Release, Rollout, RolloutRequest, WantedRow } from "./release.ts";

/** Of one service in one environment. */
export interface Place {
  readonly environment: string;
  readonly service: string;
}

const placeOf = ({ environment, service }: Place) => ({ environment, service });
const textOr = (value: unknown) => (value === null || value === undefined ? undefined : String(value));
const numberOr = (value: unknown) => (value === null || value === undefined ? undefined : Number(value));

// ---- releases

const releaseColumns = "id, environment, service, number, spec, wish, resolved, artifact, made_ms, made_by";

function readRelease(row: SqlRow): Release {
  return {
    id: String(row.id),
    environment: String(row.environment),
    service: String(row.service),
    number: Number(row.number),
    spec: String(row.spec),
    wish: String(row.wish),
    resolved: JSON.parse(String(row.resolved)) as Release["resolved"],
    artifact: JSON.parse(String(row.artifact)) as Artifact,
    madeMs: Number(row.made_ms),
    madeBy: String(row.made_by),
  };
}

export function insertRelease(tx: Tx, release: Release): void {
  tx.run(
    `INSERT INTO release (${releaseColumns})
     VALUES (:id, :environment, :service, :number, :spec, :wish, :resolved, :artifact, :madeMs, :madeBy)`,
    { ...release, resolved: JSON.stringify(release.resolved), artifact: JSON.stringify(release.artifact) },
  );
}

export function findRelease(db: Reader, id: string): Release | undefined {
  return db.prepare(`SELECT ${releaseColumns} FROM release WHERE id = :id`, readRelease).first({ id });
}

export function findNumbered(db: Reader, place: Place, number: number): Release | undefined {
  return db
    .prepare(
      `SELECT ${releaseColumns} FROM release
       WHERE environment = :environment AND service = :service AND number = :number`,
      readRelease,
    )
    .first({ ...placeOf(place), number });
}

/** Newest first. */
export function selectReleases(db: Reader, place: Place): readonly Release[] {
  return db
    .prepare(
      `SELECT ${releaseColumns} FROM release WHERE environment = :environment AND service = :service
       ORDER BY number DESC`,
      readRelease,
    )
    .all(placeOf(place));
}

export function selectAllReleases(db: Reader): readonly Release[] {
  return db.prepare(`SELECT ${releaseColumns} FROM release ORDER BY environment, service, number`, readRelease).all();
}

/** All that are made of this image. */
export function selectByImage(db: Reader, image: string): readonly Release[] {
  return db
    .prepare(
      `SELECT ${releaseColumns} FROM release WHERE json_extract(artifact, '$.id') = :image
       ORDER BY environment, service, number`,
      readRelease,
    )
    .all({ image });
}

/** Every service that has releases. */
export function selectPlaces(db: Reader): readonly Place[] {
  const read = (row: SqlRow) => ({ environment: String(row.environment), service: String(row.service) });
  return db.prepare("SELECT DISTINCT environment, service FROM release ORDER BY 1, 2", read).all();
}

/** The highest number; the release that has it is never pruned. */
export function lastNumber(db: Reader, place: Place): number {
  return (
    db
      .prepare(
        "SELECT max(number) AS last FROM release WHERE environment = :environment AND service = :service",
        (row) => Number(row.last ?? 0),
      )
      .first(placeOf(place)) ?? 0
  );
}

export function deleteRelease(tx: Tx, id: string): void {
  tx.run("DELETE FROM release WHERE id = :id", { id });
}

// ---- rollouts

const rolloutColumns =
  "id, environment, service, cause, release, state, request, reason, output, began_ms, ended_ms, began_by, correlation";

function readRollout(row: SqlRow): Rollout {
  return {
    id: String(row.id),
    environment: String(row.environment),
    service: String(row.service),
    cause: String(row.cause) as RolloutCause,
    release: textOr(row.release),
    state: String(row.state) as RolloutState,
    request: JSON.parse(String(row.request)) as RolloutRequest,
    reason: String(row.reason),
    output: String(row.output),
    beganMs: Number(row.began_ms),
    endedMs: numberOr(row.ended_ms),
    by: String(row.began_by),
    correlation: String(row.correlation),
  };
}

export function insertRollout(tx: Tx, rollout: Rollout): void {
  tx.run(
    `INSERT INTO rollout (${rolloutColumns})
     VALUES (:id, :environment, :service, :cause, :release, :state, :request, :reason, :output, :beganMs, :endedMs, :by,
       :correlation)`,
    {
      ...rollout,
      release: rollout.release ?? null,
      endedMs: rollout.endedMs ?? null,
      request: JSON.stringify(rollout.request),
    },
  );
}

/** Where a rollout stands from now on. */
export function updateRollout(tx: Tx, rollout: Rollout): void {
  const { id, release, state, request, reason, output, endedMs } = rollout;
  tx.run(
    `UPDATE rollout
     SET release = :release, state = :state, request = :request, reason = :reason, output = :output, ended_ms = :endedMs
     WHERE id = :id`,
    {
      ...{ id, release: release ?? null, state, reason, output, endedMs: endedMs ?? null },
      request: JSON.stringify(request),
    },
  );
}

export function findRollout(db: Reader, id: string): Rollout | undefined {
  return db.prepare(`SELECT ${rolloutColumns} FROM rollout WHERE id = :id`, readRollout).first({ id });
}

const openStates = "state IN ('preparing', 'rolling')";

export function findOpen(db: Reader, place: Place): Rollout | undefined {
  return db
    .prepare(
      `SELECT ${rolloutColumns} FROM rollout
       WHERE environment = :environment AND service = :service AND ${openStates}`,
      readRollout,
    )
    .first(placeOf(place));
}

/** Whether some rollout is in this state. */
export function isAny(db: Reader, state: "preparing" | "rolling"): boolean {
  return db.prepare("SELECT 1 FROM rollout WHERE state = :state LIMIT 1", () => true).first({ state }) ?? false;
}

/** All of them, by age. */
export function selectOpen(db: Reader): readonly Rollout[] {
  return db.prepare(`SELECT ${rolloutColumns} FROM rollout WHERE ${openStates} ORDER BY rowid`, readRollout).all();
}

/** Those that ended while their release, which is wanted, has not served yet: it may come to. */
export function selectUnproven(db: Reader): readonly Rollout[] {
  const columns = rolloutColumns.replaceAll(/\w+/g, (column) => `r.${column}`);
  return db
    .prepare(
      `SELECT ${columns} FROM wanted w JOIN rollout r
         ON r.environment = w.environment AND r.service = w.service AND r.release = w.release
       WHERE r.state IN ('failed', 'done') AND NOT EXISTS (
         SELECT 1 FROM rollout o
         WHERE o.environment = w.environment AND o.service = w.service
           AND (o.state = 'rolling' OR (o.release = w.release AND o.state = 'done' AND o.reason = ''))
       )
       ORDER BY r.rowid`,
      readRollout,
    )
    .all();
}

/** Newest first. */
export function selectRollouts(db: Reader, place: Place, limit: number): readonly Rollout[] {
  return db
    .prepare(
      `SELECT ${rolloutColumns} FROM rollout WHERE environment = :environment AND service = :service
       ORDER BY rowid DESC LIMIT :limit`,
      readRollout,
    )
    .all({ ...placeOf(place), limit });
}

/** The newest that says why what is wanted is not what the lab says: a restart, or a going back that came to nothing, changes nothing of that. */
export function findDecisive(db: Reader, place: Place): Rollout | undefined {
  return db
    .prepare(
      `SELECT ${rolloutColumns} FROM rollout
       WHERE environment = :environment AND service = :service
         AND cause <> 'restart' AND (cause <> 'rollback' OR state = 'done')
       ORDER BY rowid DESC LIMIT 1`,
      readRollout,
    )
    .first(placeOf(place));
}

/** Of all services, newest first. */
export function selectNewestRollouts(db: Reader, limit: number): readonly Rollout[] {
  return db
    .prepare(`SELECT ${rolloutColumns} FROM rollout ORDER BY rowid DESC LIMIT :limit`, readRollout)
    .all({ limit });
}

/** Ids of the releases of a service that have served. */
export function selectGood(db: Reader, place: Place): ReadonlySet<string> {
  const rows = db.prepare(
    `SELECT DISTINCT release FROM rollout
     WHERE environment = :environment AND service = :service AND state = 'done' AND reason = ''
       AND release IS NOT NULL`,
    (row) => String(row.release),
  );
  return new Set(rows.all(placeOf(place)));
}

/** Ids of the releases of a service that a restart by hand has made. */
export function selectRestarted(db: Reader, place: Place): ReadonlySet<string> {
  const rows = db.prepare(
    `SELECT DISTINCT release FROM rollout
     WHERE environment = :environment AND service = :service AND cause = 'restart' AND release IS NOT NULL`,
    (row) => String(row.release),
  );
  return new Set(rows.all(placeOf(place)));
}

/** Those that ended before the newest so many, but for one of each release that is kept, which tells that it has served. */
export function trimRollouts(tx: Tx, place: Place, kept: number): void {
  tx.run(
    `DELETE FROM rollout
     WHERE environment = :environment AND service = :service AND NOT ${openStates}
       AND rowid NOT IN (
         SELECT max(rowid) FROM rollout
         WHERE environment = :environment AND service = :service AND state = 'done' AND reason = ''
           AND release IN (SELECT id FROM release)
         GROUP BY release
       )
       AND rowid NOT IN (
         SELECT rowid FROM rollout WHERE environment = :environment AND service = :service
         ORDER BY rowid DESC LIMIT :kept
       )`,
    { ...placeOf(place), kept },
  );
}

// ---- what is wanted

const wantedColumns = "environment, service, release, wish, stopped, replicas, lab_replicas";

function readWanted(row: SqlRow): WantedRow {
  return {
    environment: String(row.environment),
    service: String(row.service),
    release: textOr(row.release),
    wish: String(row.wish),
    stopped: Number(row.stopped) === 1,
    replicas: numberOr(row.replicas),
    labReplicas: numberOr(row.lab_replicas),
  };
}

export function selectWanted(db: Reader): readonly WantedRow[] {
  return db.prepare(`SELECT ${wantedColumns} FROM wanted`, readWanted).all();
}

export function findWanted(db: Reader, place: Place): WantedRow | undefined {
  return db
    .prepare(`SELECT ${wantedColumns} FROM wanted WHERE environment = :environment AND service = :service`, readWanted)
    .first(placeOf(place));
}

export function saveWanted(tx: Tx, row: WantedRow): void {
  tx.run(
    `INSERT INTO wanted (${wantedColumns})
     VALUES (:environment, :service, :release, :wish, :stopped, :replicas, :labReplicas)
     ON CONFLICT (environment, service) DO UPDATE
     SET release = :release, wish = :wish, stopped = :stopped, replicas = :replicas, lab_replicas = :labReplicas`,
    {
      ...row,
      release: row.release ?? null,
      stopped: row.stopped ? 1 : 0,
      replicas: row.replicas ?? null,
      labReplicas: row.labReplicas ?? null,
    },
  );
}

// ---- images

/** An image that fed has brought to a machine. */
export interface BroughtImage {
  readonly machine: string;
  readonly image: string;
  /** That fed has given it there. */
  readonly names: readonly string[];
}

export function insertBrought(tx: Tx, row: Omit<BroughtImage, "names"> & { name: string; atMs: number }): void {
  tx.run(
    `INSERT INTO brought_image (machine, image, name, at_ms) VALUES (:machine, :image, :name, :atMs)
     ON CONFLICT DO NOTHING`,
    row,
  );
}

export function deleteBrought(tx: Tx, { machine, image }: Pick<BroughtImage, "machine" | "image">): void {
  tx.run("DELETE FROM brought_image WHERE machine = :machine AND image = :image", { machine, image });
}

/** Builds of a lab run on a machine: what they leave when they are given up half-way is fed's, too. */
export interface Builder {
  readonly machine: string;
  readonly lab: string;
}

export function insertBuilder(tx: Tx, { machine, lab }: Builder, atMs: number): void {
  insertBrought(tx, { machine, image: "", name: lab, atMs });
}

export function selectBuilders(db: Reader): readonly Builder[] {
  const read = ({ machine, name }: SqlRow) => ({ machine: String(machine), lab: String(name) });
  return db.prepare("SELECT machine, name FROM brought_image WHERE image = '' ORDER BY machine, name", read).all();
}

/** Oldest first. */
export function selectBrought(db: Reader): readonly BroughtImage[] {
  const read = ({ machine, image, names }: SqlRow): BroughtImage => ({
    ...{ machine: String(machine), image: String(image) },
    names: (JSON.parse(String(names)) as string[]).filter(Boolean),
  });
  return db
    .prepare(
      `SELECT machine, image, json_group_array(name) AS names FROM brought_image WHERE image <> ''
       GROUP BY machine, image ORDER BY min(at_ms), machine, image`,
      read,
    )
    .all();
}
