import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import type { RawTick } from "#port/collector.ts";
import { openReading } from "./reading.ts";
import type { ScriptSection, SectionReader } from "./section.ts";

const facts = { hostname: "a", os: "b", kernel: "c", architecture: "x64", cores: 1, memoryBytes: 2, bootedMs: 3 };
const pool = (name: string) => ({ kind: "pool", name, health: "good", detail: "" }) as const;

function section(name: string, read: SectionReader, everyMs = 0): ScriptSection {
  return { name, everyMs, script: ":", open: () => read };
}

function tick(atMs: number, ...names: readonly string[]): RawTick {
  const sections = names.map((name) => ({ name, text: "", code: 0, cut: false }));
  return { sequence: atMs, machineMs: atMs, sections };
}

/** Samples as `metric value`. */
function collect(reading: ReturnType<typeof openReading>) {
  return (raw: RawTick) => {
    const samples: string[] = [];
    const told = reading(raw, (metric, value) => samples.push(`${metric} ${value}`));
    return { ...told, samples };
  };
}

test("one section fails, the others tell what they have; what is no number is not told", () => {
  const tell = collect(
    openReading([
      section("a", (_, into) => into.sample("one", 1)),
      section("b", (_, into) => {
        into.sample("two", 2);
        throw new Fault("invalid", "nothing\nof\u001b[31m use");
      }),
      section("c", () => {
        throw new TypeError("oops");
      }),
      section("d", (_, into) => {
        into.sample("nan", Number.NaN);
        into.sample("infinite", Number.POSITIVE_INFINITY);
        into.sample("three", 3);
        into.problem("more than I tell");
      }),
    ]),
  );
  expect(tell(tick(1, "a", "b", "c", "d", "zzz", "a"))).toEqual({
    samples: ["one 1", "two 2", "three 3"],
    failures: [
      { section: "b", reason: "nothing of [31m use" },
      { section: "c", reason: "fed failed to read it: oops" },
      { section: "d", reason: "more than I tell" },
    ],
  });
});

test("parts of several sections are joined, and told only when one of them was asked", () => {
  let pools = ["x"];
  const tell = collect(
    openReading([
      section("facts", (_, into) => into.facts(facts)),
      section("more", (_, into) => into.facts({ cpu: "fast" })),
      section("zfs", (_, into) => into.storage(pools.map(pool))),
      section("raid", (_, into) => into.storage([pool("md0")])),
    ]),
  );
  expect(tell(tick(1, "more"))).toEqual({ samples: [], failures: [] });
  expect(tell(tick(2, "facts", "zfs"))).toMatchObject({ facts: { ...facts, cpu: "fast" }, storage: [pool("x")] });
  expect(tell(tick(3, "raid"))).toEqual({ samples: [], failures: [], storage: [pool("x"), pool("md0")] });
  pools = [];
  expect(tell(tick(4, "zfs")).storage).toEqual([pool("md0")]);
  expect(tell(tick(5))).toEqual({ samples: [], failures: [] });
});

test("a section that fails takes back the list it told", () => {
  let broken = false;
  const tell = collect(
    openReading([
      section("zfs", (_, into) => {
        if (broken) throw new Fault("invalid", "no answer");
        into.storage([pool("x")]);
      }),
    ]),
  );
  expect(tell(tick(1, "zfs")).storage).toEqual([pool("x")]);
  broken = true;
  expect(tell(tick(2, "zfs"))).toMatchObject({ storage: [], failures: [{ section: "zfs", reason: "no answer" }] });
});

test("what is asked every hour is told every minute, as long as it is asked every hour", () => {
  const hourMs = 3_600_000;
  let value = 7;
  let broken = false;
  const read: SectionReader = (_, into) => {
    if (broken) throw new Fault("invalid", "no answer");
    into.sample("updates", value);
  };
  const tell = collect(openReading([section("update", read, hourMs), section("quick", () => {}, 60_000)]));
  expect(tell(tick(0, "update")).samples).toEqual(["updates 7"]);
  expect(tell(tick(30_000)).samples).toEqual([]);
  expect(tell(tick(60_000, "quick")).samples).toEqual(["updates 7"]);
  expect(tell(tick(90_000)).samples).toEqual([]);
  value = 8;
  expect(tell(tick(hourMs, "update")).samples).toEqual(["updates 8"]);
  expect(tell(tick(hourMs + 60_000)).samples).toEqual(["updates 8"]);
  // A clock that is set back is no reason to fall silent.
  expect(tell(tick(60_000)).samples).toEqual(["updates 8"]);
  expect(tell(tick(5 * hourMs)).samples).toEqual([]);
  tell(tick(6 * hourMs, "update"));
  broken = true;
  expect(tell(tick(7 * hourMs, "update")).samples).toEqual([]);
  expect(tell(tick(7 * hourMs + 60_000)).samples).toEqual([]);
});
