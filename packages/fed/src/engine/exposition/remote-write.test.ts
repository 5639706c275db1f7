import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { type Labels, labelsOf } from "../series/labels.ts";
import { isStale, type Series, setStale } from "../series/series.ts";
import { BrokenMessage, MessageReader, MessageWriter } from "./protobuf.ts";
import { readWriteRequest, writeWriteRequest } from "./remote-write.ts";
import type { MetricNote } from "./text.ts";

interface Read extends Series {
  readonly key: string;
}

function read(bytes: Uint8Array): readonly Read[] {
  const all: Read[] = [];
  readWriteRequest(bytes, {
    series: (key, labels, times, values) => all.push({ key, labels: labels(), times, values }),
  });
  return all;
}

const seriesOf = (labels: Labels, times: readonly number[], values: readonly number[]): Series => ({
  ...{ labels, times: new Float64Array(times), values: new Float64Array(values) },
});
const bitsOf = ({ values }: Series) => [...new BigUint64Array(values.buffer)];

const text = fc.string({ minLength: 1, unit: "grapheme" });
const labels = fc.dictionary(text, text, { minKeys: 1, maxKeys: 5 }).map(labelsOf);
const samples = fc.array(fc.tuple(fc.maxSafeInteger(), fc.double()), { minLength: 1, maxLength: 5 });
const anySeries = fc.tuple(labels, samples).map(([these, all]) =>
  seriesOf(
    these,
    all.map(([time]) => time),
    all.map(([, value]) => value),
  ),
);

test("what is written is what is read, bit for bit", () => {
  fc.assert(
    fc.property(fc.array(anySeries, { maxLength: 4 }), (all) => {
      const back = read(writeWriteRequest(all));
      expect(back.map((one) => one.labels)).toEqual(all.map((one) => one.labels));
      expect(back.map((one) => [...one.times])).toEqual(all.map((one) => [...one.times].map((time) => time + 0)));
      expect(back.map(bitsOf)).toEqual(all.map(bitsOf));
    }),
  );
});

test("the marker of staleness stays one", () => {
  const one = seriesOf(labelsOf({ __name__: "up" }), [1, 2], [1, 0]);
  setStale(one.values, 1);
  const [back] = read(writeWriteRequest([one]));
  expect([0, 1].map((at) => isStale(back?.values ?? new Float64Array(2), at))).toEqual([false, true]);
});

test("a request, written by hand field by field", () => {
  // up{job="node"} 1 at 1700000000000
  const bytes = Buffer.from(
    "0a2c0a0e0a085f5f6e616d655f5f120275700a0b0a036a6f6212046e6f64651210" + "09000000000000f03f" + "1080d095ffbc31",
    "hex",
  );
  bytes[1] = bytes.length - 2;
  const [one] = read(bytes);
  expect(one?.labels).toEqual(["__name__", "up", "job", "node"]);
  expect([one?.times[0], one?.values[0]]).toEqual([1_700_000_000_000, 1]);
});

test("the same labels have the same key, others another one", () => {
  const key = (record: Record<string, string>) =>
    read(writeWriteRequest([seriesOf(labelsOf(record), [1], [1])]))[0]?.key;
  expect(key({ a: "b" })).toBe(key({ a: "b" }));
  expect(new Set([key({ a: "b" }), key({ a: "c" }), key({ a: "b", c: "d" }), key({ ab: "b" })]).size).toBe(4);
});

describe("bytes that are no request", () => {
  test("are refused as such, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          read(bytes);
        } catch (thrown) {
          expect(isFault(thrown) && thrown.code).toBe("invalid");
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("cut anywhere, they tell nothing that was not in them", () => {
    const whole = writeWriteRequest([seriesOf(labelsOf({ __name__: "up" }), [1, 2, 3], [1, 2, 3])]);
    for (let end = 1; end < whole.length; end++) {
      expect(() => read(whole.subarray(0, end))).toThrow(/is no request of remote write/);
    }
  });

  test.each([
    ["a label without a name", "0a12" + "0a04" + "12026162" + "120909000000000000f03f", "a label has no name"],
    [
      "a label twice",
      "0a1a" + "0a06" + "0a0161120162" + "0a06" + "0a0161120163" + "120909000000000000f03f",
      "the label a is there twice",
    ],
    ["a label of no text", "0a12" + "0a05" + "0a01ff1200" + "120909000000000000f03f", "a label is no UTF-8 text"],
  ])("%s", (_what, hex, message) => {
    const bytes = Buffer.from(hex, "hex");
    bytes[1] = bytes.length - 2;
    expect(() => read(bytes)).toThrow(message);
  });
});

test("numbers of 64 bits", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const writer = new MessageWriter();
      writer.int64(value);
      expect(new MessageReader(writer.finish()).int64()).toBe(value + 0);
    }),
  );
  expect(() => new MessageReader(new Uint8Array(11).fill(255)).varint()).toThrow(BrokenMessage);
});

test("what a request says of metrics", () => {
  const notes: MetricNote[] = [];
  // Two of them: { type: 1, family: "a", help: "h", unit: "s" } and { type: 99, family: "b" }.
  const bytes = Buffer.from("1a0b" + "0801" + "120161" + "220168" + "2a0173" + "1a05" + "0863" + "120162", "hex");
  readWriteRequest(bytes, { series: () => {}, note: (note) => notes.push(note) });
  expect(notes).toEqual([
    { about: "type", metric: "a", text: "counter" },
    { about: "help", metric: "a", text: "h" },
    { about: "unit", metric: "a", text: "s" },
    { about: "type", metric: "b", text: "unknown" },
    { about: "help", metric: "b", text: "" },
  ]);
});
