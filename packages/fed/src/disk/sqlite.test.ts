import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { Fault } from "#base/fault.ts";
import { asOrdinaryUser, startNode, tempFolder, thrownBy } from "./fixture.ts";
import { type Database, type OpenOptions, openDatabase, type SqlRow, type Tx } from "./sqlite.ts";

interface Pet {
  readonly id: number;
  readonly name: string;
}
const readPet = (row: SqlRow): Pet => ({ id: Number(row.id), name: String(row.name) });
const allPets = "SELECT id, name FROM pet ORDER BY id";
const insertPet = "INSERT INTO pet (id, name) VALUES (:id, :name)";

function open(path: string, options?: OpenOptions): Database {
  const db = openDatabase(path, options);
  onTestFinished(() => db.close());
  return db;
}

function petShop(): Database {
  const db = open(join(tempFolder(), "pets.sqlite"));
  db.tx((tx) => tx.script("CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT"));
  return db;
}

const names = (db: Database) =>
  db
    .prepare(allPets, readPet)
    .all()
    .map((pet) => pet.name);

describe("reading and writing", () => {
  it("reads rows as the caller wants them", () => {
    const db = petShop();
    const change = db.tx((tx) => {
      tx.run(insertPet, { id: 1, name: "Rex" });
      return tx.run(insertPet, { id: 2, name: "Mia" });
    });
    expect(change).toEqual({ changedRows: 1, lastRowId: 2 });
    const byId = db.prepare("SELECT id, name FROM pet WHERE id = :id; -- one", readPet);
    expect(byId.first({ id: 2 })).toEqual({ id: 2, name: "Mia" });
    expect(byId.first({ id: 3 })).toBeUndefined();
    expect(byId.all({ id: 1 })).toEqual([{ id: 1, name: "Rex" }]);
    const added = db.tx((tx) =>
      tx.prepare("INSERT INTO pet (name) VALUES (:name) RETURNING id, name", readPet).first({ name: "Bo" }),
    );
    expect(added).toEqual({ id: 3, name: "Bo" });
  });

  it("takes and gives every kind of value", () => {
    const db = open(join(tempFolder(), "db"));
    const values = { a: null, b: 1.5, c: "ä'\"\n\u{1f600}", d: new Uint8Array([0, 255]), e: 9_007_199_254_740_991n };
    expect(
      db.prepare("SELECT :a AS a, :b AS b, :c AS c, :d AS d, :e AS e", (row) => ({ ...row })).first(values),
    ).toEqual({
      ...values,
      e: 9_007_199_254_740_991,
    });
    const large = db.prepare("SELECT 9007199254740993 AS n", (row) => row.n);
    expect(() => large.first()).toThrow(expect.objectContaining({ code: "internal" }));
  });

  it("holds foreign keys and strict types, and tells rows that are not unique from defects", async () => {
    const db = petShop();
    db.tx((tx) => tx.script("CREATE TABLE toy (pet INTEGER NOT NULL REFERENCES pet (id)) STRICT"));
    const write = (text: string) => thrownBy(() => db.tx((tx) => tx.run(text)));
    expect(await write("INSERT INTO toy VALUES (9)")).toMatchObject({
      code: "internal",
      details: { sql: expect.any(String) },
    });
    expect(await write("INSERT INTO toy VALUES ('x')")).toMatchObject({ code: "internal" });
    db.tx((tx) => tx.run(insertPet, { id: 1, name: "Rex" }));
    expect(await thrownBy(() => db.tx((tx) => tx.run(insertPet, { id: 2, name: "Rex" })))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("pet.name"),
    });
  });

  it("refuses a parameter without value, an unknown one, two statements and none", async () => {
    const db = petShop();
    const byName = db.prepare("SELECT ':no' AS a, id FROM pet /* :no */ WHERE name = :name -- :no", (row) => row.id);
    expect(byName.all({ name: "x" })).toEqual([]);
    expect(await thrownBy(() => byName.all())).toMatchObject({
      code: "internal",
      message: "the parameter name has no value",
    });
    expect(await thrownBy(() => byName.all({ name: "x", age: 1 }))).toMatchObject({ code: "internal" });
    expect(await thrownBy(() => db.tx((tx) => tx.run(insertPet, { id: 1 })))).toMatchObject({ code: "internal" });
    expect(await thrownBy(() => db.prepare("SELECT 1; SELECT 2", readPet))).toMatchObject({
      message: expect.stringContaining("several"),
    });
    for (const text of ["", "-- nothing", "SELEKT", 'SELECT "nosuch" FROM pet']) {
      expect(await thrownBy(() => db.prepare(text, readPet))).toBeInstanceOf(Fault);
    }
  });

  it("writes in a transaction only", async () => {
    const db = petShop();
    for (const text of [
      "DELETE FROM pet",
      "INSERT INTO pet (name) VALUES ('x') RETURNING id",
      "DROP TABLE pet",
      "WITH a AS (SELECT 1) DELETE FROM pet",
    ]) {
      expect(await thrownBy(() => db.prepare(text, readPet))).toMatchObject({
        message: expect.stringContaining("outside a transaction"),
      });
      // Also when it was prepared before, inside one.
      db.tx((tx) => tx.prepare(text, readPet));
      expect(await thrownBy(() => db.prepare(text, readPet))).toMatchObject({
        message: expect.stringContaining("outside a transaction"),
      });
    }
  });

  it("keeps no more than so many statements", () => {
    const db = petShop();
    const first = db.prepare("SELECT 0 AS n", (row) => row.n);
    for (let i = 1; i < 1_500; i++) expect(db.prepare(`SELECT ${i} AS n`, (row) => row.n).first()).toBe(i);
    expect(first.first()).toBe(0);
  });
});

describe("tx", () => {
  it("undoes everything when the work throws, and goes on", async () => {
    const db = petShop();
    const broken = new Error("broken");
    const work = (tx: Tx): void => {
      tx.run(insertPet, { id: 1, name: "Rex" });
      throw broken;
    };
    expect(await thrownBy(() => db.tx(work))).toBe(broken);
    expect(names(db)).toEqual([]);
    db.tx((tx) => tx.run(insertPet, { id: 1, name: "Mia" }));
    expect(names(db)).toEqual(["Mia"]);
  });

  it("refuses a promise by type and at run time, and undoes what was done", async () => {
    const db = petShop();
    const refusal = { code: "internal", message: "a transaction returned a promise" };
    const promised = async (tx: Tx) => {
      tx.run(insertPet, { id: 1, name: "Rex" });
      throw new Error("must not become an unhandled rejection");
    };
    // @ts-expect-error: a function that returns a promise
    expect(await thrownBy(() => db.tx(promised))).toMatchObject(refusal);
    // @ts-expect-error: an async function
    expect(await thrownBy(() => db.tx(async (tx) => tx.run(insertPet, { id: 1, name: "Rex" })))).toMatchObject(refusal);
    // @ts-expect-error: perhaps a promise
    expect(await thrownBy(() => db.tx(() => (names(db).length === 0 ? Promise.resolve(1) : 1)))).toMatchObject(refusal);
    const then = "then";
    const thenable: { then(done: (value: number) => void): void } = Object.fromEntries([[then, () => {}]]) as never;
    // @ts-expect-error: something to wait for, though no Promise
    expect(await thrownBy(() => db.tx(() => thenable))).toMatchObject(refusal);
    expect(names(db)).toEqual([]);
    // Types that are fine.
    const value: { readonly kind: "ok" } | undefined = db.tx(() => ({ kind: "ok" }) as const);
    const nothing = db.tx(() => {});
    expect([value, nothing]).toEqual([{ kind: "ok" }, undefined]);
  });

  it("refuses a transaction inside a transaction, and the database closed in one", async () => {
    const db = petShop();
    expect(await thrownBy(() => db.tx(() => db.tx(() => 1)))).toMatchObject({
      code: "internal",
      hint: expect.stringContaining("Pass"),
    });
    expect(await thrownBy(() => db.tx(() => db.close()))).toMatchObject({ code: "internal" });
    expect(db.tx(() => 1)).toBe(1);
  });

  it("is over once it is over", async () => {
    const db = petShop();
    let kept: Tx | undefined;
    const query = db.tx((tx) => {
      kept = tx;
      return tx.prepare(allPets, readPet);
    });
    const over = { code: "internal", message: "a transaction was used after its end" };
    expect(await thrownBy(() => query.all())).toMatchObject(over);
    expect(await thrownBy(() => kept?.run("DELETE FROM pet"))).toMatchObject(over);
    expect(await thrownBy(() => kept?.script("DELETE FROM pet"))).toMatchObject(over);
    expect(await thrownBy(() => kept?.prepare(allPets, readPet))).toMatchObject(over);
  });

  it.each(["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT a", "ATTACH ':memory:' AS other"])(
    "does not let the work say %s",
    async (text) => {
      const db = petShop();
      const work = (tx: Tx) => {
        tx.run(insertPet, { id: 1, name: "Rex" });
        tx.script(text);
      };
      expect(await thrownBy(() => db.tx(work))).toMatchObject({ code: "internal" });
      expect(await thrownBy(() => db.tx((tx) => tx.run(text)))).toMatchObject({ code: "internal" });
      expect(names(db)).toEqual([]);
    },
  );

  it("does not go on when the database itself has undone it", async () => {
    const db = petShop();
    db.tx((tx) => tx.run(insertPet, { id: 1, name: "Rex" }));
    const work = (tx: Tx) => {
      try {
        tx.run("INSERT OR ROLLBACK INTO pet (id, name) VALUES (1, 'Mia')");
      } catch {
        tx.run("DELETE FROM pet");
      }
    };
    expect(await thrownBy(() => db.tx(work))).toMatchObject({ message: expect.stringContaining("had undone it") });
    expect(names(db)).toEqual(["Rex"]);
  });

  it("tells a full disk, and undoes", async () => {
    const db = petShop();
    db.prepare("PRAGMA max_page_count = 10", (row) => row).first();
    const fill = (tx: Tx) => {
      for (let id = 0; id < 100; id++) tx.run(insertPet, { id, name: `${id}`.padEnd(5_000, "x") });
    };
    expect(await thrownBy(() => db.tx(fill))).toMatchObject({
      code: "unreachable",
      hint: expect.stringContaining("df -h"),
    });
    expect(names(db)).toEqual([]);
  });

  it("keeps what was committed when the process is killed with -9, and nothing of what was not", async () => {
    const path = join(tempFolder(), "db");
    const child = startNode(`
      const { openDatabase } = await import(here + "sqlite.ts");
      const db = openDatabase(${JSON.stringify(path)});
      db.tx((tx) => tx.script("CREATE TABLE n (n INTEGER) STRICT"));
      for (let i = 0; ; i++) db.tx((tx) => {
        tx.run("INSERT INTO n VALUES (:n)", { n: 2 * i });
        if (i === 20) process.stdout.write("going\\n");
        tx.run("INSERT INTO n VALUES (:n)", { n: 2 * i + 1 });
      });`);
    await child.line();
    await child.kill();
    const db = open(path);
    const { last, count } = db
      .prepare("SELECT max(n) AS last, count(*) AS count FROM n", (row) => ({
        last: Number(row.last),
        count: Number(row.count),
      }))
      .first() ?? { last: 0, count: 0 };
    expect(count).toBeGreaterThanOrEqual(40);
    expect(last).toBe(count - 1);
    expect(count % 2).toBe(0);
  });
});

describe("opening and closing", () => {
  it("holds what it promises of durability, and is readable for its user alone", () => {
    const path = join(tempFolder(), "größe 'x'.sqlite");
    const db = open(path);
    const pragma = (name: string) => db.prepare(`PRAGMA ${name}`, (row) => Object.values(row)[0]).first();
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("foreign_keys")).toBe(1);
    expect(pragma("trusted_schema")).toBe(0);
    db.tx((tx) => tx.script("CREATE TABLE a (b TEXT) STRICT"));
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  });

  it("is over once closed", async () => {
    const db = petShop();
    const query = db.prepare(allPets, readPet);
    db.close();
    db.close();
    const closed = { code: "internal", message: `the database ${db.path} was used after it was closed` };
    expect(await thrownBy(() => query.all())).toMatchObject(closed);
    expect(await thrownBy(() => query.first())).toMatchObject(closed);
    expect(await thrownBy(() => db.prepare("SELECT 1", readPet))).toMatchObject(closed);
    expect(await thrownBy(() => db.tx(() => 1))).toMatchObject(closed);
  });

  it("reads only when told so, and makes no file then", async () => {
    const folder = tempFolder();
    const path = join(folder, "db");
    expect(await thrownBy(() => openDatabase(path, { readOnly: true }))).toMatchObject({
      code: "missing",
      message: expect.stringContaining(path),
    });
    expect(readdirSync(folder)).toEqual([]);
    const db = open(path);
    db.tx((tx) => tx.script("CREATE TABLE a (b TEXT) STRICT"));
    const reader = open(path, { readOnly: true });
    expect(reader.prepare("SELECT count(*) AS n FROM a", (row) => row.n).first()).toBe(0);
    expect(await thrownBy(() => reader.tx(() => 1))).toMatchObject({ code: "denied" });
  });

  it("tells a database that another process writes to", async () => {
    const path = join(tempFolder(), "db");
    const db = open(path, { busyTimeoutMs: 20 });
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    expect(await thrownBy(() => db.tx(() => 1))).toMatchObject({
      code: "conflict",
      message: `cannot begin a transaction in ${path}: another process is writing to it`,
      hint: expect.stringContaining("try again"),
    });
    other.exec("COMMIT");
    expect(db.tx(() => 1)).toBe(1);
  });

  it("does not open and does not touch what is no database", async () => {
    const folder = tempFolder();
    const path = join(folder, "notes.txt");
    writeFileSync(path, "these are my notes. ".repeat(100));
    expect(await thrownBy(() => openDatabase(path))).toMatchObject({
      code: "invalid",
      message: `cannot open the database ${path}: the file is not a database`,
      hint: expect.stringContaining("left as it is"),
    });
    expect(readFileSync(path, "utf8")).toBe("these are my notes. ".repeat(100));
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
  });

  it("does not open and does not touch a damaged one", async () => {
    const path = join(tempFolder(), "db");
    const db = openDatabase(path);
    db.tx((tx) => {
      for (let i = 0; i < 200; i++) tx.script(`CREATE TABLE a${i} (b TEXT) STRICT`);
    });
    db.close();
    const damaged = readFileSync(path).fill(0xa5, 100, 4096);
    writeFileSync(path, damaged);
    expect(await thrownBy(() => openDatabase(path))).toMatchObject({
      code: "invalid",
      message: expect.stringContaining("damaged"),
    });
    expect(readFileSync(path).equals(damaged)).toBe(true);
  });

  it("tells a folder, a missing folder and a file in the way", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "file"), "");
    const opening = (path: string) => thrownBy(() => openDatabase(join(folder, path)));
    expect(await opening("taken")).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("a folder"),
      hint: expect.any(String),
    });
    expect(await opening("none/db")).toMatchObject({
      code: "missing",
      hint: expect.stringContaining(join(folder, "none")),
    });
    expect(await opening("file/db")).toMatchObject({ code: "conflict" });
  });

  it("tells what it may not read or write", async () => {
    const folder = tempFolder();
    const path = join(folder, "db");
    openDatabase(path).close();
    chmodSync(path, process.getuid?.() === 0 ? 0o600 : 0o000);
    chmodSync(folder, 0o555);
    const [existing, fresh] = await asOrdinaryUser(async () => [
      await thrownBy(() => openDatabase(path)),
      await thrownBy(() => openDatabase(join(folder, "new"))),
    ]);
    chmodSync(folder, 0o755);
    expect(existing).toMatchObject({
      code: "denied",
      message: expect.stringContaining(path),
      hint: expect.any(String),
    });
    expect(fresh).toMatchObject({ code: "denied", message: expect.stringContaining(join(folder, "new")) });
  });
});
