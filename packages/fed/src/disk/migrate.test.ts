import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startNode, tempFolder, thrownBy } from "./fixture.ts";
import { type Migration, migrate } from "./migrate.ts";
import { type Database, openDatabase } from "./sqlite.ts";

const users: Migration = {
  id: 1,
  name: "users",
  sql: "CREATE TABLE user (id TEXT PRIMARY KEY) STRICT; INSERT INTO user VALUES ('root');",
};
const names: Migration = {
  id: 2,
  name: "names",
  sql: "ALTER TABLE user ADD COLUMN name TEXT NOT NULL DEFAULT 'nobody'",
};
const broken: Migration = {
  id: 3,
  name: "broken",
  sql: "INSERT INTO user (id) VALUES ('guest'); INSERT INTO nowhere VALUES (1);",
};

function open(path = join(tempFolder(), "db")): Database {
  const db = openDatabase(path);
  onTestFinished(() => db.close());
  return db;
}

const applied = (db: Database) => db.prepare("SELECT id FROM migration ORDER BY id", (row) => row.id).all();
const ids = (db: Database) => db.prepare("SELECT id FROM user ORDER BY id", (row) => row.id).all();

describe("migrate", () => {
  it("applies what is missing, once, in order", () => {
    const db = open();
    expect(migrate(db, [users])).toEqual([1]);
    expect(migrate(db, [users, names])).toEqual([2]);
    expect(migrate(db, [users, names])).toEqual([]);
    expect(db.prepare("SELECT name FROM user", (row) => row.name).all()).toEqual(["nobody"]);
  });

  it("leaves the database as it was before a migration that does not run", async () => {
    const db = open();
    expect(await thrownBy(() => migrate(db, [users, names, broken]))).toMatchObject({
      code: "internal",
      message: expect.stringMatching(/migration 3 \(broken\) does not run: .*nowhere/),
    });
    expect(applied(db)).toEqual([1, 2]);
    expect(ids(db)).toEqual(["root"]);
    expect(migrate(db, [users, names, { id: 3, name: "mended", sql: "DELETE FROM user" }])).toEqual([3]);
  });

  it.each(["COMMIT", "COMMIT; BEGIN", "ROLLBACK"])(
    "does not let a migration end its transaction with %s",
    async (end) => {
      const db = open();
      const sly = {
        id: 2,
        name: "sly",
        sql: `INSERT INTO user VALUES ('guest'); ${end}; INSERT INTO user VALUES ('late')`,
      };
      expect(await thrownBy(() => migrate(db, [users, sly]))).toMatchObject({ code: "internal" });
      expect(applied(db)).toEqual([1]);
      expect(ids(db)).toEqual(["root"]);
    },
  );

  it("refuses a released migration that was changed, before it changes anything", async () => {
    const db = open();
    migrate(db, [users]);
    for (const changed of [
      { ...users, sql: `${users.sql} ` },
      { ...users, name: "people" },
    ]) {
      expect(await thrownBy(() => migrate(db, [changed, names]))).toMatchObject({
        code: "internal",
        message: expect.stringContaining("migration 1 (users)"),
        hint: expect.stringContaining("add a new one"),
      });
    }
    expect(applied(db)).toEqual([1]);
  });

  it("refuses a database that a newer fed made", async () => {
    const db = open();
    migrate(db, [users, names]);
    for (const known of [[users], []]) {
      expect(await thrownBy(() => migrate(db, known))).toMatchObject({
        code: "conflict",
        message: expect.stringContaining("newer fed"),
        hint: expect.stringContaining("Run the newer one"),
      });
    }
  });

  it("fills what SQL cannot, once, in the transaction of its migration", () => {
    const db = open();
    const filled: string[] = [];
    const shouted: Migration = {
      ...names,
      fill(tx) {
        for (const id of tx.prepare("SELECT id FROM user", (row) => String(row.id)).all()) {
          filled.push(id);
          tx.run("UPDATE user SET name = :name WHERE id = :id", { id, name: id.toUpperCase() });
        }
      },
    };
    migrate(db, [users, shouted]);
    migrate(db, [users, shouted]);
    expect(filled).toEqual(["root"]);
    expect(db.prepare("SELECT name FROM user", (row) => row.name).all()).toEqual(["ROOT"]);
  });

  it("undoes a migration with its fill when that fails", async () => {
    const db = open();
    const failing: Migration = {
      ...names,
      fill(tx) {
        tx.run("DELETE FROM user");
        throw new Error("no such luck");
      },
    };
    expect(await thrownBy(() => migrate(db, [users, failing]))).toMatchObject({
      code: "internal",
      message: expect.stringContaining("migration 2 (names) does not run: no such luck"),
    });
    expect(applied(db)).toEqual([1]);
    expect(ids(db)).toEqual(["root"]);
    expect(migrate(db, [users, names])).toEqual([2]);
  });

  it("refuses by type a fill that waits", () => {
    // @ts-expect-error: the transaction is over when it goes on
    const waiting: Migration = { ...names, fill: async () => {} };
    expect(waiting.id).toBe(2);
  });

  it("asks before it changes what is there already, and is stopped by a no", async () => {
    const db = open();
    const asked: number[] = [];
    const before = ({ id }: Migration) => void asked.push(id);
    migrate(db, [users], { before });
    expect(asked).toEqual([]);
    const no = new Error("no");
    const refuse = () => {
      throw no;
    };
    expect(await thrownBy(() => migrate(db, [users, names], { before: refuse }))).toBe(no);
    expect(applied(db)).toEqual([1]);
    migrate(db, [users, names, { id: 3, name: "more", sql: "DELETE FROM user" }], { before });
    migrate(db, [users, names, { id: 3, name: "more", sql: "DELETE FROM user" }], { before });
    expect(asked).toEqual([2]);
    expect(await thrownBy(() => migrate(db, [users], { before }))).toMatchObject({ code: "conflict" });
    expect(asked).toEqual([2]);
  });

  it("refuses a database of another program", async () => {
    const db = open();
    db.tx((tx) => tx.script("CREATE TABLE bookmarks (url TEXT)"));
    expect(await thrownBy(() => migrate(db, [users]))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("bookmarks"),
    });
    expect(db.prepare("SELECT count(*) AS n FROM sqlite_schema", (row) => row.n).first()).toBe(1);
  });

  it("refuses a list with a gap or out of order", async () => {
    const db = open();
    for (const list of [[names], [users, users], [names, users]])
      expect(await thrownBy(() => migrate(db, list))).toMatchObject({ code: "internal" });
  });

  it("applies each once though two processes migrate at once", async () => {
    const path = join(tempFolder(), "db");
    open(path);
    const list = Array.from({ length: 30 }, (_, i) => ({
      id: i + 1,
      name: `n${i}`,
      sql: `CREATE TABLE t${i} (a TEXT) STRICT`,
    }));
    const both = [1, 2].map(() =>
      startNode(`
        const { openDatabase } = await import(here + "sqlite.ts");
        const { migrate } = await import(here + "migrate.ts");
        process.stdout.write(JSON.stringify(migrate(openDatabase(${JSON.stringify(path)}), ${JSON.stringify(list)})) + "\\n");`),
    );
    const done: number[] = (await Promise.all(both.map((child) => child.line()))).flatMap((line) => JSON.parse(line));
    expect(done.sort((a, b) => a - b)).toEqual(list.map(({ id }) => id));
  });
});
