/** The contract of the port `collector`: what holds for every kind of machine. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFault } from "#base/fault.ts";
import type { Collector, RawTick } from "./collector.ts";

/** A collector to test, and a machine that runs its program. */
export interface CollectorUnderTest {
  readonly collector: Collector;
  /** Everything the program says when this is written to it and it ends then. */
  run(input: string): Promise<Uint8Array>;
}

const mark = "Zq81kd02mNvb77Xy";
const mostBytes = 4 * 1024 * 1024;

export function collectorSuite(name: string, make: () => CollectorUnderTest): void {
  describe(`collector ${name}`, () => {
    describe("program", () => programContract(make()));
    describe("ticks", () => tickContract(make()));
    describe("reading", () => readingContract(make()));
  });
}

function namesOf(collector: Collector): readonly string[] {
  return collector.sections.map((section) => section.name);
}

/** Ticks of all sections, as the machine says them. */
async function sayTicks({ collector, run }: CollectorUnderTest, count: number): Promise<Uint8Array> {
  const asks = Array.from({ length: count }, (_, i) => collector.ask(i + 1, namesOf(collector)));
  return run([collector.program(mark), ...asks].join(""));
}

function programContract(under: CollectorUnderTest): void {
  const { collector } = under;

  it("says what it asks for, and how often", () => {
    expect(collector.sections.length).toBeGreaterThan(0);
    expect(new Set(namesOf(collector)).size).toBe(collector.sections.length);
    for (const { name, everyMs } of collector.sections) {
      expect(name).toMatch(/^[a-z-]+$/);
      expect(everyMs).toBeGreaterThanOrEqual(0);
    }
  });

  it("is the same text for the same mark, of one version for all marks", () => {
    expect(collector.version).toMatch(/^[0-9a-f]{64}$/);
    expect(collector.program(mark)).toBe(collector.program(mark));
    const other = mark.toLowerCase();
    expect(collector.program(other)).toBe(collector.program(mark).replaceAll(mark, other));
  });

  it.each(["", "short", "sixteen letters!", "a'b'c'd'e'f'g'h'", `${mark}\n`, "a".repeat(1000)])(
    "refuses a mark that is none: %j",
    (mark) => expect(() => collector.program(mark)).toThrow(/mark/),
  );

  it("refuses to ask for what it does not know", () => {
    expect(() => collector.ask(1, ["no-such-section"])).toThrow(/no-such-section/);
    expect(() => collector.ask(1, ["$(reboot)"])).toThrow();
  });

  it("asks in one line", () => {
    expect(collector.ask(7, namesOf(collector))).toMatch(/^[^\n]*\b7\b[^\n]*\n$/);
  });

  it("says the ticks that are asked for, with the sections in their order", async () => {
    const said = await sayTicks(under, 3);
    const beforeMs = 1_500_000_000_000;
    const ticks = collector.openTicks(mark).push(said);
    expect(ticks.map((tick) => tick.sequence)).toEqual([1, 2, 3]);
    for (const tick of ticks) {
      expect(tick.machineMs).toBeGreaterThan(beforeMs);
      expect(tick.sections.map((section) => section.name)).toEqual(namesOf(collector));
    }
    expect(ticks[2]?.machineMs).toBeGreaterThanOrEqual(ticks[0]?.machineMs ?? 0);
  });
}

function pushAll(collector: Collector, chunks: readonly Uint8Array[]): RawTick[] {
  const reader = collector.openTicks(mark);
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
}

/** Cuts bytes at these places, given as parts of their length. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What a reader does with bytes that nobody promised anything about: ticks, or a Fault `invalid`. */
function pushHostile(collector: Collector, chunks: Iterable<Uint8Array>): unknown {
  const reader = collector.openTicks(mark);
  try {
    for (const chunk of chunks) reader.push(chunk);
    return undefined;
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "invalid") throw thrown;
    return thrown;
  }
}

function tickContract(under: CollectorUnderTest): void {
  const { collector } = under;

  it("are the same however their bytes come", async () => {
    const said = await sayTicks(under, 2);
    const whole = pushAll(collector, [said]);
    expect(
      pushAll(
        collector,
        [...said].map((byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (places) => {
        expect(pushAll(collector, cut(said, places))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("come through what else is said before them", async () => {
    const said = await sayTicks(under, 1);
    const greeting = Buffer.from("Welcome!\n\u001b[31mLast login: never\r\n");
    expect(pushAll(collector, [greeting, said])).toEqual(pushAll(collector, [said]));
  });

  it("are refused when the same is said again", async () => {
    const said = await sayTicks(under, 1);
    expect(pushHostile(collector, [said, said, Uint8Array.of(10)])).toMatchObject({ code: "invalid" });
  });

  it("are not what another program says", async () => {
    const said = Buffer.from(await sayTicks(under, 1)).toString("latin1");
    expect(
      pushAll(collector, [Buffer.from(said.replaceAll(mark, "Zq81kd02mNvb77Xz"), "latin1").subarray(0, 50_000)]),
    ).toEqual([]);
  });

  it("are bounded: an endless stream and an endless line end in a Fault, and the reader stays ended", () => {
    for (const chunk of [
      "x".repeat(10_000),
      `\n${mark} ${"x".repeat(10_000)}`,
      `${mark} `.repeat(500),
      "\0".repeat(10_000),
    ]) {
      const bytes = Buffer.from(chunk);
      const reader = collector.openTicks(mark);
      let pushed = 0;
      expect(() => {
        while (pushed < mostBytes) {
          reader.push(bytes);
          pushed += bytes.length;
        }
      }).toThrow(/cannot say/);
      expect(() => reader.push(Uint8Array.of(10))).toThrow(/cannot say/);
    }
  });

  it("never come to anything but ticks or a Fault, whatever is said", async () => {
    const said = await sayTicks(under, 1);
    const words = fc.constantFrom(
      mark,
      `\n${mark} `,
      " tick ",
      " 1 ",
      " section ",
      " end ",
      "\n",
      "cpu",
      "-1",
      "\0",
      "é",
    );
    const text = fc.array(fc.oneof(words, fc.string()), { maxLength: 60 }).map((parts) => Buffer.from(parts.join("")));
    const chunks = fc.array(fc.oneof(text, fc.uint8Array({ maxLength: 300 }), fc.constant(said)), { maxLength: 8 });
    fc.assert(
      fc.property(chunks, (all) => void pushHostile(collector, all)),
      { numRuns: 300 },
    );
  });
}

function readingContract(under: CollectorUnderTest): void {
  const { collector } = under;
  const tickOf = (texts: ReadonlyMap<string, string>, sequence = 1): RawTick => ({
    sequence,
    machineMs: 1_800_000_000_000 + sequence * 10_000,
    sections: [...texts].map(([name, text]) => ({ name, text, code: 0, cut: false })),
  });

  it("tells samples of what the machine says, and nothing fails", async () => {
    const reading = collector.openReading();
    let samples = 0;
    for (const tick of collector.openTicks(mark).push(await sayTicks(under, 2))) {
      const { failures } = reading(tick, (metric, value, labels = {}) => {
        samples++;
        expect(metric).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
        expect(Number.isFinite(value)).toBe(true);
        for (const label of Object.keys(labels)) expect(label).toMatch(/^(?!machine$)[a-zA-Z_][a-zA-Z0-9_]*$/);
      });
      expect(failures).toEqual([]);
    }
    expect(samples).toBeGreaterThan(0);
  });

  it("takes any text of any section: it fails in words at most", () => {
    const names = fc.constantFrom(...namesOf(collector), "no-such-section");
    const texts = fc.array(fc.tuple(names, fc.string({ maxLength: 400, unit: "binary" })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 3 }), (ticks) => {
        const reading = collector.openReading();
        for (const [i, said] of ticks.entries()) {
          const { failures } = reading(tickOf(new Map(said), i), (metric, value) => {
            expect(metric).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
            expect(Number.isFinite(value)).toBe(true);
          });
          for (const { section, reason } of failures) {
            expect(namesOf(collector)).toContain(section);
            expect(reason).not.toMatch(/fed failed/);
            expect(reason.length).toBeLessThan(1000);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the memories of two machines apart", async () => {
    const said = collector.openTicks(mark).push(await sayTicks(under, 1))[0];
    if (said === undefined) throw new Error("no tick came");
    const tell = (reading: ReturnType<Collector["openReading"]>) => {
      const samples: unknown[] = [];
      return { reading: reading(said, (...sample) => samples.push(sample)), samples };
    };
    const alone = tell(collector.openReading());
    const one = collector.openReading();
    const two = collector.openReading();
    tell(one);
    expect(tell(two)).toEqual(alone);
  });
}
