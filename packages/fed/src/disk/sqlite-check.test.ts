import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { tempFolder } from "./fixture.ts";
import { endedHard, findDamage } from "./sqlite-check.ts";

const pageBytes = 4096;

/** A database of some hundred pages; `killed` leaves it with its log. */
function make(how: "closed" | "killed"): string {
  const made = join(tempFolder(), "made.db");
  const db = new DatabaseSync(made);
  db.exec(
    "PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT); CREATE INDEX a_b ON a (b); BEGIN",
  );
  for (let n = 0; n < 500; n++) db.exec(`INSERT INTO a (b) VALUES ('${`${n}`.padEnd(500, "x")}')`);
  const path = join(tempFolder(), "größe?#% 'x'.db");
  db.exec("COMMIT");
  if (how === "closed") db.close();
  else db.exec("PRAGMA wal_checkpoint; INSERT INTO a (b) VALUES ('in the log')");
  copyFileSync(made, path);
  if (how === "killed") copyFileSync(`${made}-wal`, `${path}-wal`);
  if (how === "killed") db.close();
  return path;
}

/** Everything beside the path: names and bytes. */
function everything(path: string): readonly (readonly [string, string])[] {
  const folder = join(path, "..");
  return readdirSync(folder)
    .filter((name) => !name.endsWith("-shm"))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name)).toString("base64")] as const);
}

function overwrite(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, page * pageBytes, (page + 1) * pageBytes);
  writeFileSync(path, bytes);
}

describe("findDamage", () => {
  it.each(["closed", "killed"] as const)("finds none in one that was %s, and leaves it as it is", (how) => {
    const path = make(how);
    const before = everything(path);
    for (const depth of ["quick", "full"] as const) expect(findDamage(path, depth)).toBeUndefined();
    expect(everything(path)).toEqual(before);
    expect(endedHard(path)).toBe(how === "killed");
    if (how === "closed") expect(readdirSync(join(path, ".."))).toHaveLength(1);
  });

  const damages: Record<string, (path: string) => void> = {
    "no header": (path) => overwrite(path, 0),
    "no table": (path) => overwrite(path, 1),
    "a page of rows that is none": (path) => overwrite(path, 40),
    "its end cut off": (path) => truncateSync(path, 20 * pageBytes),
    "notes in its place": (path) => writeFileSync(path, "these are my notes. ".repeat(500)),
  };

  it.each(
    Object.entries(damages).flatMap(([what, damage]) =>
      (["closed", "killed"] as const).map((how) => ({ what, how, damage })),
    ),
  )("finds $what in one that was $how, and leaves it as it is", ({ how, damage }) => {
    const path = make(how);
    damage(path);
    const before = everything(path);
    expect(findDamage(path, "quick")).toMatch(/\w+ \w+/);
    expect(everything(path)).toEqual(before);
  });

  it("finds a log whose database is empty or gone, which SQLite would drop", () => {
    const path = make("killed");
    truncateSync(path, 0);
    expect(findDamage(path, "quick")).toMatch(/^it is empty or gone, but .*-wal has \d+ bytes that belong to it$/);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  });

  it("finds none in what is not there, is new or is still being made", () => {
    const folder = tempFolder();
    expect(findDamage(join(folder, "none"), "quick")).toBeUndefined();
    writeFileSync(join(folder, "new"), "");
    expect(findDamage(join(folder, "new"), "quick")).toBeUndefined();
    writeFileSync(join(folder, "half"), "SQLite f");
    appendFileSync(join(folder, "half-journal"), "journal");
    expect(findDamage(join(folder, "half"), "quick")).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual(["half", "half-journal", "new"]);
  });

  it("finds an index that does not fit its table, when it looks at all", () => {
    const path = join(tempFolder(), "db");
    const db = new DatabaseSync(path, { defensive: false });
    db.exec("CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('old'); CREATE INDEX a_b ON a (b)");
    db.exec("PRAGMA writable_schema = ON");
    db.exec("CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'a_b'");
    db.exec("DELETE FROM sqlite_schema WHERE name = 'a_b'; PRAGMA writable_schema = RESET");
    db.exec("UPDATE a SET b = 'new'; PRAGMA writable_schema = ON");
    db.exec("INSERT INTO sqlite_schema SELECT * FROM kept; PRAGMA writable_schema = RESET");
    db.close();
    expect(findDamage(path, "quick")).toBeUndefined();
    expect(findDamage(path, "full")).toMatch(/missing from index a_b/);
  });
});
