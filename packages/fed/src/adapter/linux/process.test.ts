import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { processSection } from "./process.ts";
import { say, shells, tellOne } from "./section.scene.ts";
import { sectionBytes } from "./tick.ts";

const first = `up 1000.00
page 4096
p 1 100 50 1 5 2500 systemd
d 1 root /sbin/init\0splash\0
p 77 1000 0 4 90000 100 my (x) name
d 77 www-data my name\0--x\0
`;
const second = `up 1010.00
page 4096
p 1 100 50 1 5 2500 systemd
p 77 1500 500 4 90000 200 my (x) name
`;

test("tells the CPU that was used since the tick before, and keeps what was told once", () => {
  const read = processSection.open();
  const before = tellOne(read, first).processes;
  expect(before?.map(({ pid, cpu }) => [pid, cpu])).toEqual([
    [77, undefined],
    [1, undefined],
  ]);
  const after = tellOne(read, second, { machineMs: 1_800_000_010_000 }).processes;
  expect(after).toEqual([
    {
      pid: 77,
      user: "www-data",
      name: "my (x) name",
      command: "my name --x",
      cpu: 1,
      memoryBytes: 819_200,
      threads: 4,
      startedMs: 1_800_000_010_000 - 110_000,
    },
    {
      pid: 1,
      user: "root",
      name: "systemd",
      command: "/sbin/init splash",
      cpu: 0,
      memoryBytes: 10_240_000,
      threads: 1,
      startedMs: 1_800_000_010_000 - 1_010_000 + 50,
    },
  ]);
});

test("does not take a process for another one that had its number", () => {
  const read = processSection.open();
  tellOne(read, first);
  const told = tellOne(read, "up 1010.00\np 77 900 900 1 100500 5 sh\n").processes;
  expect(told?.[0]).toMatchObject({ pid: 77, name: "sh", user: "" });
  expect(told?.[0]).not.toHaveProperty("cpu");
  expect(told?.[0]).not.toHaveProperty("command");
});

test("a process was started when it was started, however the clock and the count of seconds were read", () => {
  const read = processSection.open();
  const startOf = (text: string, machineMs: number) => tellOne(read, text, { machineMs }).processes?.[0]?.startedMs;
  const before = startOf("up 1000.00\np 1 0 0 1 5 10 init\n", 1_800_000_000_000);
  expect(startOf("up 1010.00\np 1 0 0 1 5 10 init\n", 1_800_000_010_030)).toBe(before);
  expect(startOf("up 1020.00\np 1 0 0 1 5 10 init\n", 1_800_000_019_000)).toBe(before);
  expect(startOf("up 1030.00\np 1 0 0 1 5 10 init\n", 1_800_003_630_000)).toBe((before ?? 0) + 3_600_000);
});

test("a start that no date can name is told as one that a date can", () => {
  for (const up of ["999999999999", "0"]) {
    const told = tellOne(processSection.open(), `up ${up}\np 1 0 0 1 9999999999999999999 10 init\n`).processes;
    expect(new Date(told?.[0]?.startedMs ?? Number.NaN).getTime()).toBe(told?.[0]?.startedMs);
  }
});

test("tells at most forty, the busiest and the largest", () => {
  const lines = Array.from({ length: 500 }, (_, i) => `p ${i + 1} ${i} 0 1 5 ${1000 - i} name${i}`);
  const told = tellOne(processSection.open(), `up 10.0\n${lines.join("\n")}\n`).processes;
  expect(told).toHaveLength(40);
  expect(told?.[0]?.pid).toBe(500);
  expect(told?.[20]?.pid).toBe(1);
});

test("tells again what it told when the machine looked for nothing new", () => {
  const read = processSection.open();
  const before = tellOne(read, first).processes;
  expect(tellOne(read, "").processes).toEqual(before);
});

test("takes a round without a look for none, also as the first that it hears, and nothing for a failure otherwise", () => {
  expect(tellOne(processSection.open(), "")).toEqual({ samples: new Map(), problems: [] });
  expect(() => tellOne(processSection.open(), "", { code: 1 })).toThrow("the machine does not tell of its processes");
});

test("knows pages of 64 KiB, told in bytes or in KiB", () => {
  for (const page of ["65536", "64"]) {
    const told = tellOne(processSection.open(), `up 10.0\npage ${page}\np 1 0 0 1 5 10 init\n`).processes;
    expect(told?.[0]?.memoryBytes).toBe(655_360);
  }
});

test("says so when there were too many, and does not read half a line", () => {
  const told = tellOne(processSection.open(), "up 10.0\np 1 0 0 1 5 10 init\np 2 0 0 1 5 10 ba", { cut: true });
  expect(told.processes?.map(({ name }) => name)).toEqual(["init"]);
  expect(told.problems).toEqual(["so many processes that not all were looked at"]);
});

test("asks of a thousand processes no more than a section may say", () => {
  const folder = mkdtempSync(join(tmpdir(), "fed-process-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const one = join(folder, "one");
  for (const each of [one, join(folder, "pro")]) mkdirSync(each);
  writeFileSync(join(one, "stat"), "1000 (worker) S 1 0 0 0 0 0 0 0 0 0 123456 23456 0 0 20 0 30 0 12345 9 9999 0\n");
  writeFileSync(join(one, "cmdline"), "java\0".padEnd(400, "x"));
  for (let pid = 1_000; pid < 2_000; pid++) symlinkSync(one, join(folder, "pro", String(pid)));
  const script = `cd ${folder}\n${processSection.script.replace("/proc/[0-9]*", "./pro/[0-9]*")}`;
  const [text = ""] = say({ ...processSection, script });
  expect(text.length).toBeLessThan(sectionBytes);
  const { processes = [] } = tellOne(processSection.open(), text);
  expect(processes).toHaveLength(20);
  expect(processes[0]?.command).toMatch(/^java/);
});

test("takes what cannot be shown out of names and command lines", () => {
  const text = "up 10.0\np 1 0 0 1 5 10 \u001b[31m<b>x</b>\u0007\nd 1 ro\u0000ot a\u001b]0;title\u0007\0b\n";
  const [told] = tellOne(processSection.open(), text).processes ?? [];
  expect(told).toMatchObject({ name: "[31m<b>x</b>", command: "a ]0;title b" });
});

test("whatever it hears, it tells little and throws nothing but a Fault", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .tuple(fc.constantFrom("p", "d", "up", "page"), fc.array(fc.bigInt(), { maxLength: 8 }), fc.string())
      .map(([word, numbers, rest]) => [word, ...numbers, rest].join(" ")),
  );
  fc.assert(
    fc.property(fc.array(fc.array(line).map((lines) => lines.join("\n"))), fc.boolean(), (texts, cut) => {
      const read = processSection.open();
      for (const text of texts) {
        try {
          const told = tellOne(read, text, { cut }).processes ?? [];
          expect(told.length).toBeLessThanOrEqual(40);
          for (const { cpu = 0, memoryBytes } of told)
            expect(cpu >= 0 && Number.isFinite(cpu + memoryBytes)).toBe(true);
        } catch (thrown) {
          if (!isFault(thrown)) throw thrown;
        }
      }
    }),
  );
});

describe.each(shells)("$name", ({ shell }) => {
  test("tells of a process with a name that is meant to break it", async () => {
    const child = spawn("perl", ["-e", '$0 = "a b) S 1\n1 (c"; $| = 1; print "up\n"; 1 while 1', "a word"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const read = processSection.open();
    const texts = say(processSection, { shell, ticks: 2, between: "sleep 0.3" });
    const told = texts.map((text) => tellOne(read, text).processes ?? []).at(-1);
    const mine = told?.find(({ pid }) => pid === child.pid);
    expect(mine?.name).toMatch(/^a b\) S 1 1 \(c$/);
    expect(mine?.cpu).toBeGreaterThan(0);
    expect(mine?.user).toBe(userInfo().username);
    expect(mine?.memoryBytes).toBeGreaterThan(1_000_000);
    expect(Math.abs((mine?.startedMs ?? 0) - 1_800_000_000_000)).toBeLessThan(60_000);
  });
});
