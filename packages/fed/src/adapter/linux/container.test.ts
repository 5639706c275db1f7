import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { containerSection } from "./container.ts";
import { readStatus } from "./container-engine.ts";
import { tellOne } from "./section.scene.ts";

const a = "a".repeat(64);
const b = "b".repeat(64);
const c = "c".repeat(64);

const running = `c /system.slice/docker-${a}.scope 1500000u 52428800 20971520 10485760 104857600 0
n /system.slice/docker-${a}.scope eth0 1000 2000
c /docker/${b} 2500000000n 1000 2000 500 9223372036854771712 -
e docker
l ${a} web|nginx:1.27|Up 3 days (unhealthy)
l ${b} db,web/db|postgres@sha256:1234|Up 2 hours (Paused)
l ${c} old|busybox|Exited (137) 2 hours ago
i ${a}|3|false|"2026-11-21T14:32:57.348389473Z"|bridge
i ${b}|0|false|"2026-11-21T14:32:57Z"|host
i ${c}|0|true|"2026-11-20T14:32:57+01:00"|bridge
gone podman
`;

test("joins what an engine tells with what the cgroups count", () => {
  const told = tellOne(containerSection.open(), running);
  const startedMs = Date.UTC(2026, 10, 21, 14, 32, 57);
  expect(told.problems).toEqual([]);
  expect(told.containers).toEqual([
    {
      id: a,
      name: "web",
      image: "nginx:1.27",
      engine: "docker",
      state: "running",
      health: "unhealthy",
      restarts: 3,
      startedMs: startedMs + 348,
      memoryBytes: 31_457_280,
      memoryLimitBytes: 104_857_600,
      oomKills: 0,
    },
    {
      id: b,
      name: "db",
      image: "postgres@sha256:1234",
      engine: "docker",
      state: "paused",
      restarts: 0,
      startedMs,
      memoryBytes: 0,
      oomKills: 0,
    },
    {
      id: c,
      name: "old",
      image: "busybox",
      engine: "docker",
      state: "exited",
      exitCode: 137,
      restarts: 0,
      startedMs: Date.UTC(2026, 10, 20, 13, 32, 57),
      oomKills: 1,
    },
  ]);
  const labels = `id="/system.slice/docker-${a}.scope",image="nginx:1.27"`;
  expect(told.samples.get(`container_cpu_usage_seconds_total{cpu="total",${labels},name="web"}`)).toBe(1.5);
  expect(told.samples.get(`container_memory_working_set_bytes{${labels},name="web"}`)).toBe(31_457_280);
  expect(told.samples.get(`container_spec_memory_limit_bytes{${labels},name="web"}`)).toBe(104_857_600);
  expect(told.samples.get(`container_network_transmit_bytes_total{${labels},interface="eth0",name="web"}`)).toBe(2000);
  expect([...told.samples.keys()].filter((key) => key.includes(c))).toEqual([]);
  const other = `id="/docker/${b}",image="postgres@sha256:1234"`;
  expect(told.samples.get(`container_spec_memory_limit_bytes{${other},name="db"}`)).toBe(0);
  expect(told.samples.get(`container_cpu_usage_seconds_total{cpu="total",${other},name="db"}`)).toBe(2.5);
});

test("holds what an engine said until it is asked again, and counts cores in use", () => {
  const read = containerSection.open();
  tellOne(read, running);
  const cgroup = `c /system.slice/docker-${a}.scope 6500000u 52428800 20971520 10485760 104857600 0\n`;
  const told = tellOne(read, cgroup, { machineMs: 1_800_000_010_000 }).containers;
  expect(told?.[0]).toMatchObject({ id: a, name: "web", cpu: 0.5, restarts: 3 });
  expect(told).toHaveLength(3);
  expect(tellOne(read, "gone docker\n").containers).toEqual([]);
});

test.each([
  ["no docker fed\n", "fed may not ask Docker: add fed to the group docker"],
  ["e docker\nf docker 137 \n", "Docker did not answer within 4 s"],
  ["e docker\nf docker 127 sh: docker: not found\n", "Docker runs, but its command docker is not there"],
  ["e podman\nf podman 125 Error: <b>no</b> space\n", "Podman did not answer: Error: <b>no</b> space"],
])("says why an engine cannot tell, until it can: %j", (text, reason) => {
  const read = containerSection.open();
  expect(tellOne(read, text).problems).toEqual([reason]);
  const cgroup = `c /docker/${a} 1u 5 0 0 max 0\n`;
  const told = tellOne(read, cgroup);
  expect(told.problems).toEqual([reason]);
  expect(told.containers).toMatchObject([{ id: a, name: "aaaaaaaaaaaa", image: "", state: "running", memoryBytes: 5 }]);
  expect(tellOne(read, "gone docker\ngone podman\n").problems).toEqual([]);
});

test("counts each time that a container was out of memory once, over its starts", () => {
  const read = containerSection.open();
  const run = (cgroup: string, killed: boolean, start: number) =>
    tellOne(
      read,
      `${cgroup}e docker\nl ${a} web|x|Up 1 second\ni ${a}|0|${killed}|"2026-11-21T14:00:0${start}Z"|none\n`,
    ).containers?.[0]?.oomKills;
  const counted = (kills: number) => `c /docker/${a} 1u 5 0 0 max ${kills}\n`;
  expect(run(counted(0), false, 1)).toBe(0);
  expect(run(counted(2), false, 1)).toBe(2);
  // The third took the first process, and with it the cgroup; the engine tells of it.
  expect(run("", true, 1)).toBe(2);
  expect(run("", true, 1)).toBe(2);
  expect(run(counted(0), false, 2)).toBe(2);
  expect(run("", true, 2)).toBe(3);
  expect(run("", true, 2)).toBe(3);
  expect(run(counted(1), false, 3)).toBe(4);
});

test.each([
  ["Up 3 days", { state: "running" }],
  ["Up About a minute (health: starting)", { state: "running", health: "starting" }],
  ["Up 2 hours (healthy)", { state: "running", health: "healthy" }],
  ["Up 2 hours (Paused)", { state: "paused" }],
  ["Restarting (1) 5 seconds ago", { state: "restarting", exitCode: 1 }],
  ["Exited (0) 2 hours ago", { state: "exited", exitCode: 0 }],
  ["Created", { state: "created" }],
  ["Dead", { state: "dead" }],
  ["Removal In Progress", { state: "removal" }],
  ["", { state: "unknown" }],
])("reads the status %j", (status, told) => expect(readStatus(status)).toEqual(told));

test("tells no more than 500 containers, however many there are", () => {
  const id = (i: number) => i.toString(16).padStart(64, "0");
  const many = Array.from({ length: 501 }, (_, i) => `l ${id(i)} n${i}|i|Up 1 second`);
  const told = tellOne(containerSection.open(), `e docker\n${many.join("\n")}\n`);
  expect(told.containers).toHaveLength(500);
  expect(told.problems).toEqual(["more than 500 containers, of which the newest 500 are shown"]);
  const cgroups = Array.from({ length: 9999 }, (_, i) => `c /docker/${id(i)} 1u 1 1 1 1 1`);
  const other = tellOne(containerSection.open(), `${cgroups.join("\n")}\n`, { cut: true });
  expect(other.containers).toHaveLength(500);
  expect(other.samples.size).toBeLessThanOrEqual(500 * 10);
  expect(other.problems).toHaveLength(2);
});

test("whatever it hears, it throws nothing but a Fault and tells no NaN", () => {
  const id = fc.constantFrom(a, b, c, "x", "");
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.bigInt().map(String),
    fc.constantFrom("-", "max"),
  );
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .tuple(fc.constantFrom("c /docker/", "n /docker/", "l ", "i "), id, fc.array(word))
      .map(([w, i, x]) => `${w}${i} ${x.join(" ")}`),
    fc.tuple(id, fc.array(word)).map(([i, x]) => `i ${i}|${x.join("|")}`),
    fc.constantFrom("e docker", "e podman", "gone docker", "no docker x", "f docker 1 x"),
  );
  fc.assert(
    fc.property(fc.array(fc.array(line).map((lines) => lines.join("\n"))), fc.boolean(), (texts, cut) => {
      const read = containerSection.open();
      for (const text of texts) {
        try {
          for (const value of tellOne(read, text, { cut }).samples.values()) expect(value).not.toBeNaN();
        } catch (thrown) {
          if (!isFault(thrown)) throw thrown;
        }
      }
    }),
  );
});
