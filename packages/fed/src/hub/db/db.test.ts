import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import type { Migration } from "#disk/migrate.ts";
import type { Database } from "#disk/sqlite.ts";
import { type Copy, listCopies, tooMany } from "./copy.ts";
import { type ControlOptions, migrations, openControl } from "./db.ts";
import { checkLoop } from "./loop.ts";
import { makeWriting } from "./writing.ts";

const startMs = Date.UTC(2026, 10, 21, 7, 12, 4);
const later: Migration = { id: migrations.length + 1, name: "later", sql: "CREATE TABLE later (a TEXT) STRICT" };
const more = [...migrations, later];
/** What a copy is called that was made before the later migration. */
const copyName = `control-before-${later.id}-20261121T071204Z.db`;

/** A data folder under a name that hurts whoever forgets to quote. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed é'\"$ db-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(folder: string, options?: ControlOptions): Database {
  const db = openControl(folder, { nowMs: () => startMs, ...options });
  onTestFinished(() => db.close());
  return db;
}

function faultOf(deed: () => unknown): Fault {
  try {
    deed();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

const addDoor = (db: Database, service: string, port: number) =>
  db.tx((tx) => tx.run("INSERT INTO door (service, port) VALUES (:service, :port)", { service, port }));
const doors = (db: Database) => db.prepare("SELECT service FROM door ORDER BY port", (row) => row.service).all();
const backups = (folder: string) => readdirSync(join(folder, "backups"));

/** All that is there, but for the file SQLite keeps for whoever has the database open. */
function everything(folder: string): readonly unknown[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile() && !found.name.endsWith("-shm"))
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString("base64")])
    .sort();
}

/** A folder whose hub was killed; its log has what the database has not. */
function makeKilled(): string {
  const [alive, folder] = [makeFolder(), makeFolder()];
  const db = open(alive, { migrations: [...migrations] });
  addDoor(db, "early", 1);
  db.prepare("PRAGMA wal_checkpoint", (row) => row).all();
  addDoor(db, "late", 2);
  for (const name of ["control.db", "control.db-wal"]) copyFileSync(join(alive, name), join(folder, name));
  return folder;
}

function overwrite(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, page * 4096, (page + 1) * 4096);
  writeFileSync(path, bytes);
}

describe("the copy before a migration", () => {
  test("is made of an existing database, only when there is something to migrate", () => {
    const folder = makeFolder();
    addDoor(open(folder), "blog", 1);
    open(folder).close();
    expect(readdirSync(folder)).not.toContain("backups");
    const db = open(folder, { migrations: more });
    expect(backups(folder)).toEqual([copyName]);
    open(folder, { migrations: more });
    expect(backups(folder)).toHaveLength(1);
    addDoor(db, "shop", 2);
    const [copy] = listCopies(folder);
    expect(copy).toMatchObject({ before: later.id, time: "20261121T071204Z" });
    expect(statSync(copy?.path ?? "").mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "backups")).mode & 0o777).toBe(0o700);
    const restored = makeFolder();
    copyFileSync(copy?.path ?? "", join(restored, "control.db"));
    expect(doors(open(restored))).toEqual(["blog"]);
  });

  test("has what a hub that was killed left in its log, and sweeps a copy that was not finished", () => {
    const folder = makeKilled();
    mkdirSync(join(folder, "backups"));
    writeFileSync(join(folder, "backups", "control-before-3-20200101T000000Z.db.partial"), "half");
    writeFileSync(join(folder, "backups", "mine.db"), "somebody else's");
    open(folder, { migrations: more });
    expect(backups(folder).sort()).toEqual([copyName, "mine.db"]);
    const restored = makeFolder();
    copyFileSync(listCopies(folder)[0]?.path ?? "", join(restored, "control.db"));
    expect(doors(open(restored))).toEqual(["early", "late"]);
  });

  test("is there when the migration does not run; five are kept, and a failing one does not push out the others", () => {
    const folder = makeFolder();
    open(folder, { migrations: migrations.slice(0, 1) }).close();
    open(folder, { nowMs: () => startMs - 1_000 }).close();
    const broken = [...migrations, { ...later, sql: "INSERT INTO nowhere VALUES (1)" }];
    for (let n = 0; n < 8; n++) {
      const fault = faultOf(() => openControl(folder, { migrations: broken, nowMs: () => startMs + n * 1_000 }));
      expect(fault.message).toContain(`migration ${later.id} (later) does not run`);
    }
    expect(listCopies(folder).map(({ before, time }) => `${before} ${time.slice(-3, -1)}`)).toEqual([
      `${later.id} 11`,
      `${later.id} 10`,
      `${later.id} 09`,
      `${later.id} 08`,
      "2 03",
    ]);
    expect(doors(open(folder))).toEqual([]);
  });

  test("what is kept", () => {
    const copies = (...befores: number[]): readonly Copy[] =>
      befores.map((before, at) => ({ before, path: `${at}`, time: "" }));
    const dropped = (...befores: number[]) => tooMany(copies(...befores)).map(({ path }) => path);
    expect(dropped(9, 8, 7, 6, 5)).toEqual([]);
    expect(dropped(9, 8, 7, 6, 5, 4, 3)).toEqual(["6", "5"]);
    expect(dropped(9, 9, 9, 8, 7, 6)).toEqual(["2"]);
    expect(dropped(9, 9, 8, 7, 6, 5, 4, 8)).toEqual(["7", "1", "6"]);
  });
});

test("a database that a newer fed made is refused, and nothing is changed", () => {
  const folder = makeFolder();
  open(folder, { migrations: more }).close();
  const before = everything(folder);
  expect(faultOf(() => openControl(folder))).toMatchObject({
    code: "conflict",
    message: expect.stringMatching(new RegExp(`was made by a newer fed: it has migration ${later.id} \\(later\\)`)),
    hint: expect.stringContaining("Run the newer one"),
  });
  expect(everything(folder)).toEqual(before);
});

describe("a damaged database", () => {
  const damages: Record<string, (folder: string) => void> = {
    "a page is wrong": (folder) => overwrite(join(folder, "control.db"), 4),
    "the header is wrong": (folder) => overwrite(join(folder, "control.db"), 0),
    "it is empty but for its log": (folder) => writeFileSync(join(folder, "control.db"), ""),
    "it is gone but for its log": (folder) => rmSync(join(folder, "control.db")),
  };

  test.each(Object.entries(damages))("is refused and left as it is: %s", (_what, damage) => {
    const folder = makeKilled();
    damage(folder);
    const before = everything(folder);
    const fault = faultOf(() => openControl(folder));
    expect(fault).toMatchObject({
      code: "invalid",
      message: expect.stringContaining(`the control database ${join(folder, "control.db")} is damaged: `),
    });
    expect(fault.hint).toMatch(/^It was left untouched, its -wal too\./);
    expect(fault.hint).not.toContain("go back");
    expect(everything(folder)).toEqual(before);
  });

  /** A folder with a sound copy, a newer one that is bad itself, and a damaged database. */
  function makeDamaged(): { readonly folder: string; readonly commands: readonly string[] } {
    const folder = makeFolder();
    const db = open(folder);
    addDoor(db, "blog", 1);
    db.close();
    open(folder, { migrations: more }).close();
    writeFileSync(join(folder, "backups", "control-before-9-20270101T000000Z.db"), "not a database".repeat(100));
    overwrite(join(folder, "control.db"), 3);
    const { hint = "" } = faultOf(() => openControl(folder, { migrations: more, nowMs: () => startMs }));
    return { folder, commands: hint.split("\n").flatMap((line) => (line.startsWith("  ") ? [line.trim()] : [])) };
  }

  test("comes back by the command that the hint gives, from the newest copy that is sound", () => {
    const { folder, commands } = makeDamaged();
    const damaged = readFileSync(join(folder, "control.db"));
    execFileSync("sh", ["-ec", commands[0] ?? "false"]);
    expect(doors(open(folder, { migrations: more }))).toEqual(["blog"]);
    expect(statSync(join(folder, "control.db")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "damaged-20261121T071204Z", "control.db")).equals(damaged)).toBe(true);
  });

  test("gives way to a new one by the other command", () => {
    const { folder, commands } = makeDamaged();
    expect(commands).toHaveLength(2);
    execFileSync("sh", ["-ec", commands[1] ?? "false"]);
    expect(doors(open(folder, { migrations: more }))).toEqual([]);
    expect(backups(folder)).toHaveLength(2);
  });

  test("that is large is found after a hard end at once, after a good one by the loop", async () => {
    const folder = makeFolder();
    const path = join(folder, "control.db");
    const db = open(folder);
    db.tx((tx) => {
      tx.script("CREATE TABLE large (a BLOB) STRICT");
      for (let n = 0; n < 66; n++) tx.run("INSERT INTO large VALUES (zeroblob(1048576))");
    });
    db.close();
    overwrite(path, 5);
    const alive = open(folder);
    const writing = makeWriting(alive);
    const { db: guarded } = writing;
    const loop = checkLoop(
      path,
      () => startMs,
      (fault) => writing.stop(fault, startMs),
    );
    const damage = { code: "invalid", message: expect.stringContaining("damaged") };
    addDoor(guarded, "shop", 2);
    await expect(loop.run(new AbortController().signal)).rejects.toMatchObject(damage);
    const refusal = faultOf(() => addDoor(guarded, "late", 3));
    expect(refusal).toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("nothing is written any more"),
    });
    expect(refusal.hint).toMatch(
      /^What runs goes on, and nothing is written to it any more\.[\s\S]+begin anew[\s\S]+mkdir -m 700/,
    );
    expect(doors(guarded)).toEqual(["shop"]);
    addDoor(alive, "blog", 1);
    const killed = makeFolder();
    for (const name of ["control.db", "control.db-wal"]) copyFileSync(join(folder, name), join(killed, name));
    expect(faultOf(() => openControl(killed))).toMatchObject(damage);
    // Closed well and as large as before, but it was found damaged.
    alive.close();
    expect(readdirSync(folder)).not.toContain("control.db-wal");
    expect(faultOf(() => openControl(folder))).toMatchObject(damage);
    rmSync(join(folder, "control.db-damaged"));
    open(folder).close();
  });

  test("that was found damaged and has come back is looked at once more, and then as ever", () => {
    const folder = makeFolder();
    open(folder).close();
    writeFileSync(join(folder, "control.db-damaged"), "");
    open(folder).close();
    expect(readdirSync(folder)).not.toContain("control.db-damaged");
  });
});

describe("the check of every day", () => {
  const fail = (fault: Fault) => {
    throw fault;
  };

  test("finds nothing in a sound database that is in use, and hinders nobody", async () => {
    const folder = makeFolder();
    const db = open(folder);
    const running = checkLoop(db.path, () => startMs, fail).run(new AbortController().signal);
    addDoor(db, "blog", 1);
    await running;
    expect(doors(db)).toEqual(["blog"]);
  });

  test("ends when it is told to", async () => {
    const db = open(makeFolder());
    const stop = new AbortController();
    const running = checkLoop(db.path, () => startMs, fail).run(stop.signal);
    const reason = new Error("the hub stops");
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(checkLoop(db.path, () => startMs, fail).run(stop.signal)).rejects.toBe(reason);
  });
});
