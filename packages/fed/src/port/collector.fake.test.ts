import { expect, test } from "vitest";
import { makeFakeCollector, runFakeProgram } from "./collector.fake.ts";
import { collectorSuite } from "./collector.suite.ts";

const collector = makeFakeCollector([
  { name: "cpu", everyMs: 0 },
  { name: "units", everyMs: 30_000 },
]);
const say = (section: string) => (section === "cpu" ? { samples: [["node_load1", 0.5] as const] } : { units: [] });

collectorSuite("fake", () => ({ collector, run: async (input) => Buffer.from(runFakeProgram(input, say)) }));

test("a section that fails says why, the others go on", () => {
  const mark = "abcdefgh12345678";
  const said = runFakeProgram(`${collector.program(mark)}${collector.ask(1, ["cpu", "units"])}`, (section) =>
    section === "units" ? { fails: "no systemd" } : say(section),
  );
  const samples: unknown[] = [];
  const [tick] = collector.openTicks(mark).push(Buffer.from(said));
  if (tick === undefined) throw new Error("no tick came");
  expect(collector.openReading()(tick, (...sample) => samples.push(sample))).toEqual({
    failures: [{ section: "units", reason: "no systemd" }],
  });
  expect(samples).toEqual([["node_load1", 0.5, undefined]]);
});
