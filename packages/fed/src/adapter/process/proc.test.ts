import { expect, test } from "vitest";
import { isAlive, listProcesses, parseStat, readProcess } from "./proc.ts";

const tail = "4194560 90 0 0 0 0 0 0 0 20 0 1 0 889644 2990080 260 18446744073709551615 1 1 0";

test("a name with spaces and parentheses does not shift the fields", () => {
  const stat = { pid: 42, state: "S", group: 40, session: 39, startTicks: 889_644 };
  expect(parseStat(`42 (sh) S 1 40 39 0 -1 ${tail}`)).toEqual(stat);
  expect(parseStat(`42 (a) R 7 (b) S 1 40 39 0 -1 ${tail}`)).toEqual(stat);
  expect(parseStat("")).toBeUndefined();
  expect(parseStat("42 (sh) S 1 40")).toBeUndefined();
});

test("a process is told from a later one of its number", () => {
  const self = readProcess(process.pid);
  if (!self) throw new Error("this process is not in /proc");
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTicks: self.startTicks - 1 })).toBe(false);
  expect(readProcess(2 ** 30)).toBeUndefined();
});

test("all processes but this one are listed", async () => {
  const pids = (await listProcesses()).map(({ pid }) => pid);
  expect(pids).toContain(process.ppid);
  expect(pids).not.toContain(process.pid);
});
