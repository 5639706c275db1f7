import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ExpositionFormat, MetricNote } from "#engine/exposition/text.ts";
import { labelsToRecord, metricName } from "#engine/series/labels.ts";
import { isStale } from "#engine/series/series.ts";
import type { Batch } from "#engine/tsdb/batch.ts";
import { mostSamples, openScraper } from "./scrape.ts";

const own = { machine: "node5", job: "node", instance: "h:1" };

/** Scrapes one after the other, ten seconds apart; each is what was told, as `name{labels}` → value, without the hub's own labels. */
function open() {
  const notes: MetricNote[] = [];
  const scraper = openScraper(own, (note) => notes.push(note));
  let atMs = 0;
  async function take(said: string | Uint8Array | { readonly failed: string }, format: ExpositionFormat = "text") {
    atMs += 10_000;
    const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
    const answer = bytes instanceof Uint8Array ? { bytes, format } : bytes.failed;
    const { batch, error, lacks } = await scraper.take(answer, atMs, () => 250);
    return { error, lacks, ...rowsOf(batch, atMs) };
  }
  return { scraper, take, notes };
}

const reportNames = [
  ...["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"],
  "scrape_series_added",
];

function rowsOf({ labels, times, values }: Batch, atMs: number) {
  const told: Record<string, number> = {};
  const reports: Record<string, number | "stale"> = {};
  const gone: string[] = [];
  const otherTimes: Record<string, number> = {};
  for (const [row, one] of labels.entries()) {
    const { [metricName]: name = "", machine, job, instance, ...rest } = labelsToRecord(one);
    expect({ machine, job, instance }).toEqual(own);
    const pairs = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
    const text = pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
    if (times[row] !== atMs) otherTimes[text] = times[row] as number;
    if (isStale(values, row)) gone.push(text);
    else if (reportNames.includes(text)) reports[name] = values[row] as number;
    else told[text] = values[row] as number;
  }
  return { told, reports: reportNames.map((name) => reports[name]), gone, otherTimes };
}

describe("a scrape", () => {
  test("is what was told, at the time it was asked, and how it went", async () => {
    const { take, notes } = open();
    const text = '# HELP m Words.\n# TYPE m gauge\nm{a="b"} 1\nm{a="c",machine="node6"} NaN\n\nn +Inf\n';
    expect(await take(text)).toEqual({
      ...{ error: "", lacks: "", gone: [], otherTimes: {} },
      told: { "m{a=b}": 1, "m{a=c,exported_machine=node6}": Number.NaN, n: Number.POSITIVE_INFINITY },
      reports: [1, 0.25, 3, 3, 3],
    });
    expect(await take(text)).toMatchObject({ error: "", gone: [], reports: [1, 0.25, 3, 3, 0] });
    expect(notes).toEqual([
      { about: "help", metric: "m", text: "Words." },
      { about: "type", metric: "m", text: "gauge" },
    ]);
  });

  test("ends the series that are not told any more, once", async () => {
    const { take, scraper } = open();
    await take("a 1\nb 1\n");
    expect(await take("b 2\nc 2\n")).toMatchObject({ told: { b: 2, c: 2 }, gone: ["a"], reports: [1, 0.25, 2, 2, 1] });
    expect(await take("b 3\n")).toMatchObject({ gone: ["c"] });
    expect(await take("a 4\nb 4\n")).toMatchObject({ gone: [], reports: [1, 0.25, 2, 2, 1] });
    expect(rowsOf(scraper.end(99), 99)).toMatchObject({ told: {}, gone: ["a", "b", ...reportNames] });
    expect(rowsOf(scraper.end(99), 99).gone).toEqual(reportNames);
  });

  test("that fails ends all of them, and is down", async () => {
    const { take } = open();
    await take("a 1\nb 1\n");
    expect(await take({ failed: "connection refused" })).toEqual({
      ...{ error: "connection refused", lacks: "", told: {}, gone: ["a", "b"], otherTimes: {} },
      reports: [0, 0.25, 0, 0, 0],
    });
    expect(await take({ failed: "connection refused" })).toMatchObject({ gone: [] });
    expect(await take("a 1\nb 1\n")).toMatchObject({ told: { a: 1, b: 1 }, reports: [1, 0.25, 2, 2, 0] });
  });

  test("knows a series that is written in another way, or after what was known is forgotten", async () => {
    const { take } = open();
    await take('a{x="1",y="2"} 1\n');
    expect(await take('a{y="2",x="1"} 2\n')).toMatchObject({ told: { "a{x=1,y=2}": 2 }, gone: [] });
    const many = Array.from({ length: 9_999 }, (_, nth) => `m${nth} 1\n`).join("");
    const more = many.replaceAll(" 1\n", "_ 1\n");
    for (const text of [many, more, many]) {
      const { gone, error } = await take(`${text}a{x="1",y="2"} 3\n`);
      expect(error).toBe("");
      expect(gone).not.toContain("a{x=1,y=2}");
    }
  });

  test("keeps the time that a sample has of its own; that one does not end by not being told", async () => {
    const { take } = open();
    expect(await take("a 1 5000\nb 1\n")).toMatchObject({ told: { a: 1, b: 1 }, otherTimes: { a: 5_000 } });
    expect(await take("b 1\n")).toMatchObject({ gone: [] });
    await take("a 1\nb 1\n");
    expect(await take("a 1 5000\nb 1\n")).toMatchObject({ gone: ["a"], otherTimes: { a: 5_000 } });
  });

  test("reads OpenMetrics, and none that is not whole", async () => {
    const { take } = open();
    const text = '# TYPE a counter\na_total 1 5.5 # {trace="x"} 0.5\n# EOF';
    expect(await take(text, "openmetrics")).toMatchObject({ told: { a_total: 1 }, otherTimes: { a_total: 5_500 } });
    expect(await take(`${text}\n`, "openmetrics")).toMatchObject({ error: "" });
    for (const broken of ["a 1\n", "a 1\n# EO", `${text}\na 2\n`, `${text}\n\n`, ""]) {
      expect(await take(broken, "openmetrics")).toMatchObject({
        ...{ error: "what it sends does not end with # EOF", told: {} },
      });
    }
  });

  test("of nothing is one", async () => {
    const { take } = open();
    expect(await take("")).toMatchObject({ error: "", told: {}, reports: [1, 0.25, 0, 0, 0] });
    expect(await take("# only words")).toMatchObject({ error: "", told: {} });
  });
});

describe("what cannot be taken", () => {
  test.each([
    ["<html>\n", /^line 1 of what it sends: /],
    ['a 1\nb{c="d} 2\n', /^line 2 of what it sends: the labels have no end/],
    ["a 1\nb\n", /^line 2 .*no value/],
    ['{b="c"} 1\n', /there is no name/],
    ["a 1 x\n", /"x" is no time/],
    [new Uint8Array([97, 32, 49, 10, 0xff, 0xfe, 10]), "what it sends is no UTF-8 text"],
    [`a{b="${"x".repeat(2 ** 21)}"} 1\n`, "a line of it has no end"],
    [`a 1\n${"x".repeat(2 ** 21)}`, "a line of it has no end"],
  ])("fails the whole scrape: %.40s", async (said, error) => {
    const { take } = open();
    await take("a 1\n");
    const taken = await take(said);
    expect(taken.error).toMatch(error);
    expect(taken).toMatchObject({ told: {}, gone: ["a"] });
    expect(taken.reports[0]).toBe(0);
  });

  test("tells the line's number also far behind", async () => {
    const { take } = open();
    const said = `${"# a comment that is quite long, so that a few thousand of them are many slices\n".repeat(5_000)}a\n`;
    expect((await take(said)).error).toBe("line 5001 of what it sends: there is no value");
  });

  test("fails a scrape with too many series, however many", async () => {
    const { take } = open();
    const many = (count: number) => Array.from({ length: count }, (_, nth) => `m{n="${nth}"} 1\n`).join("");
    expect(await take(many(mostSamples))).toMatchObject({ error: "" });
    const taken = await take(many(mostSamples + 1));
    expect(taken).toMatchObject({ error: "it tells more than 10,000 series", told: {} });
    expect(taken.gone).toHaveLength(mostSamples);
    expect((await take(many(500_000))).error).toBe("it tells more than 10,000 series");
  });

  test("is left out when it is one series, and said", async () => {
    const { take } = open();
    const labels = Array.from({ length: 64 }, (_, nth) => `l${nth}="x"`).join(",");
    expect(await take(`a{${labels}} 1\nb 1\n`)).toMatchObject({
      ...{ told: { b: 1 }, reports: [1, 0.25, 2, 2, 1] },
      lacks: expect.stringMatching(/^1 of its samples is not kept: a.*: it has 68 labels; 64 are allowed$/),
    });
    expect(await take(`a{b="${"x".repeat(5_000)}"} 1\n`)).toMatchObject({
      lacks: expect.stringMatching(/the value of b is longer than 4096 bytes$/),
    });
    expect(await take("b 1\nb 2\nb 3\n")).toMatchObject({
      ...{ told: { b: 1 }, lacks: expect.stringMatching(/^2 of its samples are not kept: b\{.* is told twice$/) },
    });
  });

  test("is how it went: that is fed's to tell", async () => {
    const { take } = open();
    expect(await take('up 5\nscrape_duration_seconds 7\nup{a="b"} 6\n')).toMatchObject({
      ...{ told: { "up{a=b}": 6 }, reports: [1, 0.25, 3, 3, 1] },
      lacks: expect.stringContaining("that is fed's to tell"),
    });
  });
});

test("a text is the same in however many slices it is read", async () => {
  const line = fc.record({ name: fc.constantFrom("a", "b", "c"), value: fc.integer(), n: fc.nat(4_000) });
  const filler = fc.integer({ min: 0, max: 60_000 }).map((length) => `# ${"x".repeat(length)}\n`);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, filler), { maxLength: 30 }), async (lines) => {
      const { take } = open();
      const told = new Map(lines.map(([{ name, n, value }]) => [`${name}{n=${n}}`, value]));
      const first = new Map<string, number>();
      let text = "";
      for (const [{ name, n, value }, words] of lines) {
        if (!first.has(`${name}{n=${n}}`)) first.set(`${name}{n=${n}}`, value);
        text += `${words}${name}{n="${n}"} ${value}\n`;
      }
      const taken = await take(text);
      expect(taken.error).toBe("");
      expect(Object.keys(taken.told)).toHaveLength(told.size);
      expect(taken.told).toEqual(Object.fromEntries(first));
    }),
    { numRuns: 30 },
  );
});

test("any bytes are read or refused, and bounded", async () => {
  const { take } = open();
  const part = fc.constantFrom(
    'a{b="c"',
    '"} 1\n',
    "# EOF\n",
    "\\",
    "\n",
    " 1",
    " NaN 5\n",
    "{",
    "}",
    "=",
    "\0",
    "\u2028",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
      ),
      fc.constantFrom("text" as const, "openmetrics" as const),
      async (said, format) => {
        const { error, told, reports } = await take(said, format);
        expect(reports[0]).toBe(error === "" ? 1 : 0);
        if (error !== "") expect(told).toEqual({});
      },
    ),
    { numRuns: 300 },
  );
});
