import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { breachText, findBreaches } from "./layers/law.ts";
import { readSource } from "./layers/source.ts";

const root = resolve(import.meta.dirname, "..");

/** The law of the house, on the house as it is: no exceptions. */
test("the house obeys its law", () => {
  const paths = listSources();
  expect(paths.length).toBeGreaterThan(100);
  const sources = paths.map((path) => readSource(path, readFileSync(resolve(root, path), "utf8")));
  expect(findBreaches(sources).map(breachText)).toEqual([]);
});

/** Tracked and new files alike, as git sees them. */
function listSources(): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  return listed
    .toString()
    .split("\0")
    .filter((path) => /\.(ts|tsx|mts|js|mjs)$/.test(path) && existsSync(resolve(root, path)));
}

const fed = "packages/fed/src";

/** A tree of two files, one of which breaks the law: path, text, and what is said. */
const planted: readonly (readonly [what: string, path: string, text: string, message: RegExp])[] = [
  ["an arrow up", `${fed}/disk/a.ts`, 'import { b } from "#hub/b.ts";', /arrow up, from disk to hub/],
  ["an arrow up by type only", `${fed}/base/a.ts`, 'import type { B } from "#wire/b.ts";', /arrow up/],
  ["an arrow up by import()", `${fed}/port/a.ts`, 'const b = await import("#cli/b.ts");', /arrow up/],
  ["an arrow up by an import type", `${fed}/port/a.ts`, 'type B = import("#hub/b.ts").B;', /arrow up/],
  ["an arrow up by re-export", `${fed}/port/a.ts`, 'export { b } from "#engine/x/b.ts";', /arrow up/],
  ["strangers of one floor", `${fed}/wire/a.ts`, 'import { b } from "#disk/b.ts";', /strangers/],
  ["an engine that knows an adapter", `${fed}/engine/x/a.ts`, 'import { b } from "#adapter/y/b.ts";', /strangers/],
  ["an engine that knows the hub", `${fed}/engine/x/a.ts`, 'import { b } from "#hub/b.ts";', /arrow up/],
  [
    "an engine that knows the lab",
    `${fed}/engine/x/a.ts`,
    'import { hashText } from "@fed/lab";',
    /does not know the lab/,
  ],
  ["an adapter that knows another", `${fed}/adapter/x/a.ts`, 'import { b } from "../y/b.ts";', /another one/],
  ["an adapter taken past the list", `${fed}/hub/hub.ts`, 'import { b } from "#adapter/y/b.ts";', /adapters\.ts/],
  [
    "an adapter taken by a noun",
    `${fed}/hub/service/a.ts`,
    'import { b } from "#adapter/adapters.ts";',
    /only hub\/hub\.ts/,
  ],
  ["another noun's store", `${fed}/hub/service/a.ts`, 'import { b } from "#hub/event/store.ts";', /private/],
  [
    "a store from a test elsewhere",
    `${fed}/hub/service/a.test.ts`,
    'import { b } from "#hub/event/store.ts";',
    /private/,
  ],
  ["a higher noun", `${fed}/hub/event/a.ts`, 'import { b } from "#hub/service/b.ts";', /higher noun/],
  ["a noun without a place", `${fed}/hub/zebra/a.ts`, 'import { b } from "#hub/event/b.ts";', /no place/],
  ["a noun that knows the wiring", `${fed}/hub/service/a.ts`, 'import { b } from "#hub/hub.ts";', /wiring/],
  ["a room that is not in the house", `${fed}/util/a.ts`, 'import { b } from "#base/b.ts";', /no room/],
  ["the lab knowing Node", "packages/lab/src/a.ts", 'import { readFileSync } from "node:fs";', /pure/],
  ["the lab knowing a package", "packages/lab/src/a.ts", 'import { z } from "zod";', /pure/],
  ["the lab knowing fed", "packages/lab/src/a.ts", 'import { b } from "../../fed/src/base/b.ts";', /knows nobody/],
  ["base knowing Node", `${fed}/base/a.ts`, 'import { join } from "node:path";', /pure/],
  ["a page's floor knowing Node", `${fed}/wire/a.ts`, 'import { request } from "node:http";', /runs in a browser/],
  ["promql knowing another engine", `${fed}/engine/promql/a.ts`, 'import { b } from "../tsdb/b.ts";', /only base/],
  ["a tool of tests in production", `${fed}/disk/a.ts`, 'import { expect } from "vitest";', /tests alone/],
  ["a path into another package", `${fed}/hub/a.ts`, 'import { b } from "../../../lab/src/b.ts";', /package's name/],
  ["a folder not in kebab-case", `${fed}/base/myRoom/a.ts`, "export const a = 1;", /kebab-case/],
  ["the door from a room below it", "packages/lab/src/kind/a.ts", 'import { b } from "../index.ts";', /own door/],
  ["web past wire", "packages/web/src/a.ts", 'import { b } from "../../fed/src/hub/b.ts";', /web sees only/],
  ["the house depending on tests", `${fed}/cli/a.ts`, 'import { b } from "../../../../test/b.ts";', /outside/],
  ["production using a fake", `${fed}/hub/a.ts`, 'import { b } from "#port/b.fake.ts";', /serves tests/],
  ["production using the hand clock", `${fed}/hub/a.ts`, 'import { b } from "#base/hand-clock.ts";', /serves tests/],
  ["the environment read elsewhere", `${fed}/hub/a.ts`, "export const home = process.env.HOME;", /only cli\/env\.ts/],
  [
    "the environment read in disguise",
    `${fed}/hub/a.ts`,
    'const { env } = process;\nexport const a = env["B"];',
    /only cli\/env\.ts/,
  ],
  ["export *", `${fed}/port/a.ts`, 'export * from "./b.ts";', /exports everything/],
  ["logic in a door", `${fed}/adapter/x/index.ts`, "export const a = 1;", /an index\.ts is a door/],
  ["one's own door", `${fed}/adapter/x/a.ts`, 'import { b } from "./index.ts";', /own door/],
  ["a relative path across folders", `${fed}/hub/a.ts`, 'import { b } from "../base/b.ts";', /#folder/],
  ["# inside one folder", `${fed}/base/a.ts`, 'import { b } from "#base/b.ts";', /relative path/],
  ["a name not in kebab-case", `${fed}/base/aB.ts`, "export const a = 1;", /kebab-case/],
];

describe("each kind of breach is caught", () => {
  test.each(planted)("%s", (_what, path, text, message) => {
    const breaches = findBreaches([readSource(path, text)]);
    expect(breaches.map(breachText).join("\n")).toMatch(message);
    expect(breaches[0]?.path).toBe(path);
  });

  test("a loop, type-only imports too", () => {
    const a = readSource(`${fed}/base/a.ts`, 'import type { B } from "./b.ts";');
    const b = readSource(`${fed}/base/b.ts`, 'import { c } from "./c.ts";');
    const c = readSource(`${fed}/base/c.ts`, 'export { a } from "./a.ts";');
    expect(findBreaches([a, b, c]).map(breachText)).toEqual([
      `${fed}/base/a.ts:1 stands in a loop of imports: ${fed}/base/a.ts → ${fed}/base/b.ts → ${fed}/base/c.ts → ${fed}/base/a.ts`,
    ]);
  });

  test("engines in a circle, though no file is", () => {
    const a = readSource(`${fed}/engine/x/a.ts`, 'import { one } from "../y/one.ts";');
    const b = readSource(`${fed}/engine/y/two.ts`, '\nimport { b } from "../x/b.ts";');
    expect(findBreaches([a, b]).map(breachText)).toEqual([
      `${fed}/engine/x/a.ts:1 engines in a circle: x → y → x; let one take the other as an interface`,
    ]);
  });

  test("what is right is left alone", () => {
    const right: readonly (readonly [string, string])[] = [
      [`${fed}/hub/hub.ts`, 'import { x } from "#adapter/adapters.ts";\nimport { b } from "./service/b.ts";'],
      [`${fed}/hub/service/a.ts`, 'import { b } from "#hub/event/verbs.ts";\nimport { c } from "./store.ts";'],
      [`${fed}/adapter/x/a.ts`, 'import { b } from "#port/b.ts";\nimport { spawn } from "node:child_process";'],
      [`${fed}/engine/x/a.ts`, 'import { b } from "../graph/run.ts";'],
      ["packages/web/src/a.ts", 'import { b } from "@fed/lab";'],
      ["test/e2e/a.ts", 'import { b } from "../../packages/fed/src/hub/event/verbs.ts";'],
    ];
    expect(findBreaches(right.map(([path, text]) => readSource(path, text))).map(breachText)).toEqual([]);
  });
});
