import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commands, families } from "../packages/fed/src/cli/commands.ts";
import { parseWords } from "../packages/fed/src/cli/parse.ts";
import { findEntry } from "../packages/fed/src/cli/run.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const program = { name: "fed", version: "0", entries: commands, families };

/** What a reader would type: the lines of the blocks of shell, without their remarks. */
const lines = [...readme.matchAll(/```sh\n(.*?)```/gs)]
  .flatMap(([, block = ""]) => block.trimEnd().split("\n"))
  .map((line) => line.replace(/\s+#.*/, ""));

describe("every command that the README tells of is one", () => {
  test.each(lines)("%s", async (line) => {
    const [launcher, verb = "", ...rest] = line.split(" ");
    expect(launcher).toBe("./fed");
    const entry = findEntry(program, verb, rest[0]);
    const words = rest.slice(entry.name.split(" ").length - 1);
    expect(parseWords(entry.name, await entry.load(), words, root).kind).toBe("call");
  });
});

test("the README tells of every command", () => {
  const told = new Set([...readme.matchAll(/`(?:\.\/fed )?([a-z-]+)(?: [a-z]+)?`/g)].map(([, verb]) => verb));
  for (const line of lines) told.add(line.split(" ")[1]);
  const missing = commands.filter(({ name, group }) => group !== "Hidden" && !told.has(name.split(" ")[0]));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test.each([...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path = ""]) => path))(
  "the link to %s leads somewhere",
  (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  },
);
