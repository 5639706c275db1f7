import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { pathMatcher, readFiles, writeFiles } from "./files.ts";

test("files written are read again, with what they end in", () => {
  const path = fc.stringMatching(/^\/[a-z0-9_/.-]{1,20}$/);
  const content = fc.string({ maxLength: 60 }).filter((text) => !text.includes("==> "));
  fc.assert(
    fc.property(fc.dictionary(path, content), (files) => {
      const map = new Map(Object.entries(files));
      expect(readFiles(writeFiles(map))).toEqual(map);
    }),
  );
});

test("reads what head says of files: empty ones, without a newline at the end, and none that is not there", () => {
  const folder = mkdtempSync(join(tmpdir(), "fed-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const texts = new Map([
    [join(folder, "a"), "one\ntwo\n"],
    [join(folder, "b"), ""],
    [join(folder, "c"), "no end"],
    [join(folder, "d"), "\n\n"],
  ]);
  for (const [path, text] of texts) writeFileSync(path, text);
  for (const head of [["head"], ["busybox", "head"]]) {
    const [command = "", ...words] = [...head, "-n", "99999", ...texts.keys(), join(folder, "none")];
    const { stdout, error } = spawnSync(command, words, { encoding: "utf8" });
    if (error === undefined) expect(readFiles(stdout)).toEqual(texts);
  }
});

test("what stands before the first name is no file", () => {
  expect(readFiles("chip a b\n==> /x <==\n1\n")).toEqual(new Map([["/x", "1\n"]]));
  expect(readFiles("")).toEqual(new Map());
});

test("a glob stands for names within one folder", () => {
  const owns = pathMatcher(["/proc/stat", "/sys/fs/*.scope/cpu.stat", "/proc/[0-9]*/stat"]);
  const paths = ["/proc/stat", "/proc/12/stat", "/sys/fs/docker-1.scope/cpu.stat"];
  expect(paths.filter(owns)).toEqual(paths);
  expect(
    ["/proc/status", "x/proc/stat", "/proc/a/stat", "/sys/fs/a/b.scope/cpu.stat", "/sys/fs/x.scope/cpuxstat"].filter(
      owns,
    ),
  ).toEqual([]);
});
