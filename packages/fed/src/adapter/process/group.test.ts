import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { type Group, isLaunched, membersOf } from "./group.ts";
import { type ProcessRow, readProcess } from "./proc.ts";

/** No process has such a number (Linux ends at 2^22). */
const gone = 2 ** 23;
const row = (more: Partial<ProcessRow>): ProcessRow => ({
  ...{ pid: gone + 1, startTicks: 100, state: "S", group: 1, session: 1, instance: undefined },
  ...more,
});
const group = (leader: Group["leader"]): Group => ({ id: "ins_a", leader, outputPath: "/nowhere" });
const pids = (of: Group, rows: readonly ProcessRow[]) => membersOf(of, rows).map(({ pid }) => pid);

test("whoever carries the id belongs, wherever it went; a neighbour's does not", () => {
  const rows = [row({ instance: "ins_a" }), row({ pid: gone + 2, instance: "ins_ab" }), row({ pid: gone + 3 })];
  expect(pids(group(undefined), rows)).toEqual([gone + 1]);
});

test("with a living leader, its session and group belong, though nothing else tells", () => {
  const self = readProcess(process.pid);
  if (!self) throw new Error("this process is not in /proc");
  const rows = [row({ session: self.pid }), row({ pid: gone + 2, group: self.pid }), row({ pid: gone + 3 })];
  expect(pids(group(self), rows)).toEqual([gone + 1, gone + 2]);
  expect(pids(group({ ...self, startTicks: self.startTicks - 1 }), rows)).toEqual([]);
});

test("without a leader, its number alone proves nothing; one carrier vouches for the session", () => {
  const leader = { pid: gone, startTicks: 90 };
  const strangers = [row({ session: gone }), row({ pid: gone + 2, session: gone })];
  expect(pids(group(leader), strangers)).toEqual([]);
  const ours = [...strangers, row({ pid: gone + 3, session: gone, instance: "ins_a" })];
  expect(pids(group(leader), ours)).toEqual([gone + 1, gone + 2, gone + 3]);
});

test("a child that still looks like the wrapper has not become the command yet", () => {
  const children = ["1000", "1000", "1001"].map((time) => spawn("/bin/sleep", [time], { stdio: "ignore" }));
  try {
    const [leader, twin, other] = children.map(({ pid = 0 }) => readProcess(pid));
    if (!leader || !twin || !other) throw new Error("the processes are not in /proc");
    const rows = [leader, twin, other].map((stat) => ({ ...stat, instance: undefined }));
    expect(isLaunched(leader, rows.slice(0, 1))).toBe(false);
    expect(isLaunched(leader, rows.slice(0, 2))).toBe(false);
    expect(isLaunched(leader, rows)).toBe(true);
    expect(isLaunched({ pid: gone, startTicks: 1 }, [])).toBe(true);
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});
