import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelsOf, labelsToRecord } from "../series/labels.ts";
import { isMistake, readSeries } from "./series-text.ts";
import { type ExpositionFormat, type MetricNote, readExposition, readNumber } from "./text.ts";

function read(text: string, format: ExpositionFormat = "text") {
  const samples: (readonly [series: string, value: number, timeMs: number | undefined])[] = [];
  const notes: MetricNote[] = [];
  const mistakes: string[] = [];
  readExposition(text, format, {
    sample: (series, value, timeMs) => samples.push([series, value, timeMs]),
    note: (note) => notes.push(note),
    mistake: (line, message) => mistakes.push(`${line}: ${message}`),
  });
  return { samples, notes, mistakes };
}

describe("an exposition", () => {
  test("of the documentation", () => {
    const text = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045
`;
    expect(read(text)).toEqual({
      samples: [
        ['http_requests_total{method="post",code="200"}', 1027, 1395066363000],
        ['http_requests_total{method="post",code="400"}', 3, 1395066363000],
        [
          String.raw`msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""}`,
          1458255915,
          undefined,
        ],
        ["metric_without_timestamp_and_labels", 12.47, undefined],
        ['something_weird{problem="division by zero"}', Number.POSITIVE_INFINITY, -3982045],
      ],
      notes: [
        { about: "help", metric: "http_requests_total", text: "The total number of HTTP requests." },
        { about: "type", metric: "http_requests_total", text: "counter" },
      ],
      mistakes: [],
    });
  });

  test("of OpenMetrics: times in seconds, exemplars left out, nothing after the end", () => {
    const text = `# TYPE a counter
# UNIT a seconds
a_total{x="}#"} 1 1520879607.789 # {trace="abc"} 0.67
a_created 1.5e3
# EOF
after 1
`;
    expect(read(text, "openmetrics")).toEqual({
      samples: [
        ['a_total{x="}#"}', 1, 1520879607789],
        ["a_created", 1500, undefined],
      ],
      notes: [
        { about: "type", metric: "a", text: "counter" },
        { about: "unit", metric: "a", text: "seconds" },
      ],
      mistakes: [],
    });
  });

  test("a line that is none is named, and the others are read", () => {
    const text = 'a 1\nb\nc x\nd{e="f 2\ng 3 4.5\nh 1 2 3\r\ni 6\r\n  j\t7\t8  \nk{} 9';
    expect(read(text)).toEqual({
      samples: [
        ["a", 1, undefined],
        ["i", 6, undefined],
        ["j", 7, 8],
        ["k{}", 9, undefined],
      ],
      notes: [],
      mistakes: [
        "2: there is no value",
        '3: "x" is no number',
        "4: the labels have no end",
        '5: "4.5" is no time',
        "6: something stands after the sample",
      ],
    });
  });

  test("of any text ends, and tells of nothing beyond it", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab{}"\\=, \n#1.e-'), maxLength: 80 }), (text) => {
        const { samples, mistakes } = read(text);
        const lines = text.split("\n").length;
        expect(samples.length + mistakes.length).toBeLessThanOrEqual(lines);
        for (const [series] of samples) expect(text).toContain(series);
      }),
    );
  });
});

test.each([
  ["1", 1],
  ["-1.5e-3", -0.0015],
  [".5", 0.5],
  ["5.", 5],
  ["NaN", Number.NaN],
  ["nan", Number.NaN],
  ["+Inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["-0", -0],
  ["", undefined],
  [".", undefined],
  ["0x10", undefined],
  ["1_000", undefined],
  ["constructor", undefined],
])("the number %j", (word, value) => {
  expect(readNumber(word)).toBe(value);
});

describe("a series", () => {
  test.each([
    ["up", { __name__: "up" }],
    ["up{}", { __name__: "up" }],
    ['a:b_1 { c = "d" , e="f", }', { __name__: "a:b_1", c: "d", e: "f" }],
    ['{"http.requests", "k 1"="v", plain="w"}', { __name__: "http.requests", "k 1": "v", plain: "w" }],
    [String.raw`a{b="\\ \" \n \t"}`, { __name__: "a", b: '\\ " \n \\t' }],
    ['a{empty="",b="}"}', { __name__: "a", b: "}" }],
    ['a{__proto__="x"}', { __name__: "a", ["__proto__"]: "x" }],
  ])("%s", (text, record) => {
    const labels = readSeries(text);
    expect(labels).toEqual(labelsOf(Object.assign(Object.create(null), Object.fromEntries(Object.entries(record)))));
  });

  test.each([
    ["", "there is no name", 0],
    ["{}", "there is no name", 0],
    ['{a="b"}', "there is no name", 0],
    ["1a", '"1" is no part of a name', 0],
    ["a-b", '"-" is no part of a name', 1],
    ["a{", "there is no `}`", 2],
    ["a{1", "a label's name is expected", 2],
    ["a{b}", "`=` is expected after b", 3],
    ['a{"b"}', "`=` is expected after b", 5],
    ["a{b=c}", '`"` is expected', 4],
    ['a{b="c}', 'there is no closing `"`', 4],
    ['a{b="c" d="e"}', "`,` or `}` is expected", 8],
    ['a{b="c",b="d"}', "the label b is there twice", 8],
    ["a{} b", "something stands after the `}`", 3],
  ])("%s is none: %s", (text, message, at) => {
    expect(readSeries(text)).toEqual({ message, at });
  });

  test("whatever its labels, what is written is what is read", () => {
    const escapeText = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    const record = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== "__name__"),
      fc.string({ minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), record, (name, labels) => {
        const pairs = Object.entries(labels).map(([label, value]) => `"${escapeText(label)}"="${escapeText(value)}"`);
        const read = readSeries(`{${[`"${escapeText(name)}"`, ...pairs].join(",")}}`);
        if (isMistake(read)) throw new Error(read.message);
        expect(labelsToRecord(read)).toEqual({ ...labels, __name__: name });
      }),
    );
  });
});

test("a long word that is no number takes no longer than one that is", () => {
  const digits = "1".repeat(1_000_000);
  // Tried in every way to part its digits it would take a quarter of an hour.
  for (const word of [`${digits}x`, `${digits}.x`, `.${digits}x`, `1e${digits}x`, `${digits}.${digits}e`]) {
    expect(readNumber(word)).toBeUndefined();
  }
  expect(readNumber("1.")).toBe(1);
  expect(readNumber(".5e-1")).toBe(0.05);
  expect(readNumber(".")).toBeUndefined();
});

test("a mistake tells of a long word how it begins", () => {
  const found: string[] = [];
  const mistake = (_line: number, message: string) => found.push(message);
  const long = "z".repeat(1_000_000);
  readExposition(`up ${long}\nup 1 ${long}\n`, "text", { sample: () => expect.unreachable(), mistake });
  expect(found).toEqual([`"${"z".repeat(100)}…" is no number`, `"${"z".repeat(100)}…" is no time`]);
});
