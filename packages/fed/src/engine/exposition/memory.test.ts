import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import type { Labels } from "../series/labels.ts";
import { MessageWriter } from "./protobuf.ts";
import { readWriteRequest } from "./remote-write.ts";
import { cutRows, rowsOf } from "./rows.ts";
import { isMistake, readSeries } from "./series-text.ts";
import { type ExpositionFormat, readExposition } from "./text.ts";
import { openTextReader } from "./text-memory.ts";
import { openWriteReader } from "./write-memory.ts";

/** Readers that remember against those that do not: whatever came before, a text or a request says the same. */

interface Read {
  readonly samples: readonly (readonly unknown[])[];
  readonly notes: readonly string[];
  readonly mistakes: readonly string[];
}

function plainText(text: string, format: ExpositionFormat): Read {
  const [samples, notes, mistakes]: [unknown[][], string[], string[]] = [[], [], []];
  readExposition(text, format, {
    sample(series, value, timeMs, line) {
      const read = readSeries(series);
      if (isMistake(read)) mistakes.push(`${line}: ${series}: ${read.message}`);
      else samples.push([read.join(), value, timeMs, line]);
    },
    note: (note) => notes.push(JSON.stringify(note)),
    mistake: (line, message) => mistakes.push(`${line}: ${message}`),
  });
  return { samples, notes, mistakes };
}

const lines = [
  ...['a{x="1"}', 'a{x="2"}', "a", "ab", "b", 'a {x="1"}', 'a{x="1', "{}", "a{x=}"].flatMap((series) =>
    ["1", "-0", "0.1", "-12.5e3", "NaN", "+Inf", "123456789012345678", "1.", ".5", "-", ".", "1.2.3", "x", "0x1"].map(
      (value) => `${series} ${value}`,
    ),
  ),
];
const others = [
  ...["a 1 5", "a 1 -5", "a 1 1.5", "a 1 99999999999999999", "a 1 ", "a  1", "a\t1", " a 1", "a 1\r", "a 1 5 # {} 1"],
  ...[
    "# HELP a Words.",
    "# TYPE a counter",
    "# TYPE a gauge",
    "# nothing",
    "",
    "# EOF",
    "#EOF",
    "# HELP a Words. ",
    "# HELP a Words. More",
  ],
];

test("texts", () => {
  // Of few lines, so that they stand one after the other in many orders.
  const few = fc.tuple(
    fc.shuffledSubarray(lines, { minLength: 1, maxLength: 3 }),
    fc.shuffledSubarray(others, { maxLength: 4 }),
  );
  const texts = few
    .map((all) => all.flat())
    .chain((these) =>
      fc.array(
        fc.array(fc.constantFrom(...these), { maxLength: 8 }).map((all) => all.join("\n")),
        { minLength: 2, maxLength: 3 },
      ),
    );
  const again = fc.tuple(texts, fc.array(fc.nat(2), { maxLength: 6 }));
  const format = fc.constantFrom<ExpositionFormat>("text", "openmetrics");
  fc.assert(
    fc.property(again, format, fc.constantFrom(3, 1_000), ([texts, order], how, most) => {
      const named: string[] = [];
      const read = openTextReader<Labels>((series) => {
        const labels = readSeries(series);
        if (isMistake(labels)) return { wrong: labels.message };
        named.push(series);
        return labels;
      }, most);
      const told = new Set<string>();
      for (const nth of order) {
        const one = texts[nth % texts.length] as string;
        const [samples, mistakes]: [unknown[][], string[]] = [[], []];
        read(one, how, {
          sample: (labels, value, timeMs, line) => samples.push([labels.join(), value, timeMs, line]),
          note: (note) => told.add(JSON.stringify(note)),
          mistake: (line, message) => mistakes.push(`${line}: ${message}`),
        });
        const plain = plainText(one, how);
        expect({ samples, mistakes }).toEqual({ samples: plain.samples, mistakes: plain.mistakes });
        for (const note of plain.notes) expect(told).toContain(note);
      }
      if (most === 1_000) expect(named).toEqual([...new Set(named)]);
    }),
    { numRuns: 2_000 },
  );
});

test("every decimal is the double that it is elsewhere", () => {
  const read = openTextReader((series) => ({ series }));
  const values: number[] = [];
  const ask = (word: string) => {
    for (let i = 0; i < 2; i++)
      read(`a ${word}\n`, "text", { sample: (_of, value) => values.push(value), mistake() {} });
    return values.at(-1);
  };
  ask("0");
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.nat(20), (digits, point) => {
      const all = String(digits < 0n ? -digits : digits).padStart(point + 1, "0");
      const word = `${digits < 0n ? "-" : ""}${all.slice(0, all.length - point)}.${all.slice(all.length - point)}`;
      expect(ask(word)).toBe(Number(word));
    }),
  );
});

/** A series by hand: labels and samples in any order, values left out, and what no one sends. */
type Part =
  | { readonly kind: "label"; readonly name: string; readonly value: string }
  | { readonly kind: "sample"; readonly timeMs: number; readonly half: number; readonly odd: boolean };

function requestOf(all: readonly (readonly Part[])[]): Uint8Array {
  const request = new MessageWriter();
  for (const parts of all) {
    const series = new MessageWriter();
    for (const part of parts) {
      const inner = new MessageWriter();
      if (part.kind === "label") {
        for (const [field, text] of [part.name, part.value].entries()) {
          inner.tag(field + 1, 2);
          inner.sized(Buffer.from(text));
        }
      } else {
        if (part.odd) inner.tag(2, 0);
        if (part.odd) inner.int64(part.timeMs);
        if (part.half !== 0) inner.tag(1, 1);
        if (part.half !== 0) inner.fixed64(part.half, 0x7ff00000);
        if (!part.odd) inner.tag(2, 0);
        if (!part.odd) inner.int64(part.timeMs);
      }
      series.tag(part.kind === "label" ? 1 : 2, 2);
      series.sized(inner.finish());
    }
    request.tag(1, 2);
    request.sized(series.finish());
  }
  return request.finish();
}

function plainWrite(bytes: Uint8Array) {
  const samples: unknown[] = [];
  readWriteRequest(bytes, {
    series(_key, labels, times, values) {
      const words = new Uint32Array(values.buffer);
      for (const [i, time] of times.entries()) samples.push([labels().join(), time, words[2 * i], words[2 * i + 1]]);
    },
  });
  return samples;
}

test("requests", () => {
  const label = fc.record({
    kind: fc.constant("label" as const),
    name: fc.constantFrom("a", "long".repeat(40)),
    value: fc.constantFrom("", "1"),
  });
  const sample = fc.record({
    kind: fc.constant("sample" as const),
    timeMs: fc.oneof(fc.constantFrom(-1, 0, 127, 128), fc.maxSafeInteger()),
    half: fc.constantFrom(0, 2, 0xffffffff),
    odd: fc.boolean(),
  });
  const usual = fc.tuple(
    fc.uniqueArray(label, { selector: ({ name }) => name, maxLength: 3 }),
    fc.array(sample, { maxLength: 3 }),
  );
  const series = fc.oneof(
    usual.map(([labels, samples]): Part[] => [...labels, ...samples]),
    usual.map(([labels, samples]): Part[] => [...samples, ...labels]),
    usual.map(([labels, samples]): Part[] => [...labels.slice(0, 1), ...samples, ...labels.slice(1)]),
  );
  const requests = fc.array(fc.array(series, { maxLength: 4 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(requests, fc.array(fc.nat(2), { maxLength: 6 }), fc.constantFrom(1, 1_000), (all, order, most) => {
      const read = openWriteReader((labels) => labels.join(), most);
      for (const nth of order) {
        const bytes = requestOf(all[nth % all.length] as Part[][]);
        const rows = rowsOf<string>(1);
        read(bytes, { rows });
        const found = rows.of.map((of, i) => [of, rows.times[i], rows.words[2 * i], rows.words[2 * i + 1]]);
        expect(found).toEqual(plainWrite(bytes));
        expect(rows.count).toBe(found.length);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a request that is cut anywhere is refused the second time as well", () => {
  const parts: Part[] = [
    { kind: "label", name: "__name__", value: "up" },
    { kind: "sample", timeMs: 1_763_700_000_000, half: 2, odd: false },
  ];
  const whole = requestOf([parts, [{ kind: "label", name: "a", value: "b" }, ...parts]]);
  const read = openWriteReader((labels) => labels);
  const rows = rowsOf<Labels>();
  read(whole, { rows });
  for (let end = 1; end < whole.length; end++) {
    cutRows(rows, 0);
    // Between two series it is whole.
    if (end === whole.length / 2 || end === 2 + (whole[1] as number)) continue;
    try {
      read(whole.subarray(0, end), { rows });
      expect.unreachable(`cut at ${end}`);
    } catch (thrown) {
      expect(isFault(thrown) && thrown.code, String(end)).toBe("invalid");
    }
  }
});

test("what is known of requests is forgotten when its labels are too long, and read again", () => {
  let asked = 0;
  const nameOf = (labels: Labels) => {
    asked++;
    return labels;
  };
  const read = openWriteReader(nameOf, 1_000, 100);
  const request = (name: string) =>
    requestOf([
      [
        { kind: "label", name: "__name__", value: name },
        { kind: "sample", timeMs: 1_763_700_000_000, half: 2, odd: false },
      ],
    ]);
  const rows = rowsOf<Labels>();
  for (const [name, times] of [
    ["a", 1],
    ["a", 1],
    ["b".repeat(200), 2],
    ["a", 3],
  ] as const) {
    read(request(name), { rows });
    expect(asked).toBe(times);
  }
  expect(rows.of.map((labels) => labels[1]?.length)).toEqual([1, 1, 200, 1]);
});
