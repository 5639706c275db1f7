import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { RawSection } from "#port/collector.ts";
import { makeLinuxCollector } from "./collector.ts";
import { fixtureBytes } from "./fixture.scene.ts";
import { readFixture } from "./section.scene.ts";

const collector = makeLinuxCollector();
const machines = 40;
const paddingBytes = 100_000;

const containerId = "0123456789abcdef".repeat(4);
const containers = `c /system.slice/docker-${containerId}.scope 12u 4096 0 0 max 0
n /system.slice/docker-${containerId}.scope an-interface-with-a-name 12 34
e docker
l ${containerId} a-container-with-a-name|registry/image-with-a-name:1|Up 3 days (healthy)
i ${containerId}|0|false|"2026-01-01T00:00:00Z"|bridge
`;

/** Every section, with something to tell. */
function sections(): readonly RawSection[] {
  const [first] = collector.openTicks("fixture0fixture0").push(fixtureBytes("debian-12"));
  const more = {
    ...{ container: containers, gpu: readFixture("gpu"), pool: readFixture("pool"), smart: readFixture("smart") },
    ...{ unit: readFixture("unit-debian-12"), update: readFixture("update-apt") },
    process:
      "up 100.00\npage 4096\np 4242 1 2 3 4 5 a-process-with-a-name\nd 4242 somebody-or-other a-command --with=words\n",
  };
  const others = (first?.sections ?? []).filter(({ name }) => !Object.hasOwn(more, name));
  return [...others, ...Object.entries(more).map(([name, text]) => ({ name, text, code: 0, cut: false }))];
}

/** Bytes in use by what is held, beyond what was in use before. */
function heldBytes(hold: () => unknown): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = hold();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  expect(held).toBeDefined();
  return bytes;
}

describe("of what a machine said nothing is kept but what is told of it", () => {
  const all = sections();
  test("every section is among them", () => {
    expect(all.map(({ name }) => name).sort()).toEqual(collector.sections.map(({ name }) => name).sort());
  });

  test.each(all)("$name", (section) => {
    const look = () => {
      const read = collector.openReading();
      // Of each machine another text, as long as a section may be.
      const text = Buffer.from(section.text + "\n".repeat(paddingBytes)).toString();
      const reading = read({ sequence: 1, machineMs: 1e12, sections: [{ ...section, text }] }, () => {});
      return { read, reading };
    };
    // What is made once for all machines.
    for (let i = 0; i < 3; i++) look();
    expect(heldBytes(() => Array.from({ length: machines }, look))).toBeLessThan((machines * paddingBytes) / 2);
  });
});
