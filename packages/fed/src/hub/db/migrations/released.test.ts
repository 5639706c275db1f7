import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { migrations } from "../db.ts";

/** Of each released migration's file the SHA-256, its comments and all: `fill` is code, and none of it may change. */
const released: Readonly<Record<string, string>> = JSON.parse(read("released.json"));

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}

const files = readdirSync(import.meta.dirname)
  .filter((name) => /^\d{4}-.*\.ts$/.test(name))
  .sort();

test.each(Object.entries(released))("%s is as it was released", (name, hash) => {
  const now = createHash("sha256").update(read(name)).digest("hex");
  const what = [
    `${name} is released: databases that people have were made by it, and this fed would refuse them.`,
    `Undo the change (git log -p -- '*${name}') and put what should be different into a new migration at the end.`,
  ];
  expect(now, what.join("\n")).toBe(hash);
});

test("every migration but the one that is being written is released, and each has its file", () => {
  const numbers = migrations.map(({ id }) => String(id).padStart(4, "0"));
  expect(files.map((name) => name.slice(0, 4))).toEqual(numbers);
  const unreleased = files.filter((name) => !(name in released));
  const lines = unreleased.map((name) => `"${name}": "${createHash("sha256").update(read(name)).digest("hex")}"`);
  const what = `A newer migration stands on these, so they are released. Add to released.json:\n${lines.join(",\n")}`;
  expect(unreleased, what).toEqual(files.slice(-1).filter((name) => unreleased.includes(name)));
});
