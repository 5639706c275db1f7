import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findCommand, requireFolder } from "./command.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fed-command-"));
  for (const name of ["one", "two"]) mkdirSync(join(folder, name));
  add("two/tool", 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function add(path: string, mode: number): void {
  writeFileSync(join(folder, path), "");
  chmodSync(join(folder, path), mode);
}

const path = () => `${folder}/one:${folder}/two`;

test("a bare name is looked for in PATH, past folders and files that may not run", () => {
  expect(findCommand("tool", folder, path())).toBe(join(folder, "two/tool"));
  add("one/tool", 0o644);
  expect(findCommand("tool", folder, path())).toBe(join(folder, "two/tool"));
  mkdirSync(join(folder, "one/dir"));
  expect(() => findCommand("dir", folder, path())).toThrow(/dir is not installed/);
  expect(() => findCommand("tool", folder, "")).toThrow(expect.objectContaining({ code: "missing" }));
  expect(findCommand("tool", join(folder, "two"), ":/nowhere")).toBe(join(folder, "two/tool"));
});

test("a name with a slash is a path, relative to where it will run", () => {
  expect(findCommand("./two/tool", folder, "")).toBe(join(folder, "two/tool"));
  expect(findCommand(join(folder, "two/tool"), "/", "")).toBe(join(folder, "two/tool"));
  expect(() => findCommand("./tool", folder, path())).toThrow(expect.objectContaining({ code: "missing" }));
});

test("what may not run is denied, with what to do", () => {
  add("one/plain", 0o644);
  const hint = expect.stringContaining("chmod +x");
  expect(() => findCommand("plain", folder, path())).toThrow(expect.objectContaining({ code: "denied", hint }));
});

test("a folder must be one", () => {
  requireFolder(folder);
  expect(() => requireFolder(join(folder, "two/tool"))).toThrow(/is not a folder/);
  expect(() => requireFolder(join(folder, "no"))).toThrow(/does not exist/);
});
