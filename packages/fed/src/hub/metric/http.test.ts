import { compress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { writeWriteRequest } from "#engine/exposition/remote-write.ts";
import { labelsOf } from "#engine/series/labels.ts";
import { queryAnswerShape } from "#wire/metric.ts";
import { form, openDoor } from "./door.scene.ts";
import { ownMetricsLoop } from "./loop.ts";
import { openMetrics } from "./verbs.ts";

function openOwn() {
  const metrics = openMetrics({ folder: tempFolder(), clock: systemClock });
  onTestFinished(() => metrics.close());
  return metrics;
}

test("what is imported is found: by query and form, by series, labels and values", async () => {
  const { ask, importText } = await openDoor();
  const text = '# TYPE a_total counter\n# HELP a_total How many.\na_total{x="1"} 4\na_total{x="2"} NaN\nb 1\n';
  expect(await importText(text)).toEqual({ status: 204, body: undefined });
  const query = 'a_total{x="1"} * 2';
  const found = { resultType: "vector", result: [{ metric: { x: "1" }, value: [expect.any(Number), "8"] }] };
  expect(await ask(`query?${new URLSearchParams({ query })}`)).toMatchObject({ status: 200, body: { data: found } });
  expect(await ask("query", form({ query }), "viewer")).toMatchObject({ status: 200, body: { data: found } });
  expect(await ask(`query?${new URLSearchParams({ query })}`, form({ limit: "1" }))).toMatchObject({ status: 200 });
  const seconds = Math.floor(Date.now() / 1_000);
  const range = { query: "b", start: `${seconds}`, end: `${seconds + 2}`, step: "1s" };
  const { body } = await ask("query_range", form(range));
  expect(body.data.result[0].values.at(-1)).toEqual([seconds + 2, "1"]);

  const both = "match%5B%5D=a_total&match%5B%5D=%7Bx%3D%221%22%7D";
  expect((await ask(`series?${both}`)).body.data).toHaveLength(2);
  expect((await ask("labels")).body.data).toEqual(["__name__", "x"]);
  expect((await ask("labels?match[]=b")).body.data).toEqual(["__name__"]);
  expect((await ask("label/x/values?limit=1")).body).toMatchObject({ data: ["1"], warnings: [expect.any(String)] });
  expect((await ask("label/U______name____/values")).body.data).toEqual(["a_total", "b"]);
  expect((await ask("metadata")).body.data).toEqual({ a_total: [{ type: "counter", help: "How many.", unit: "" }] });
  expect((await ask("format_query", form({ query: "sum(a)by(x)" }))).body.data).toBe("sum by (x) (a)");
  expect((await ask("status/buildinfo")).body.data.features).toBeUndefined();
  const held = {
    activeSeries: 3,
    headSamples: 3,
    blocks: [],
    metrics: [{ name: "a_total", series: 2 }, { name: "b" }],
  };
  expect(await ask("metric-store", {}, "viewer")).toMatchObject({ status: 200, body: held });
});

test.each<[path: string, status: number, errorType: string, says: string]>([
  ["query", 400, "bad_data", 'invalid parameter "query": '],
  ["query?query=sum(", 400, "bad_data", 'invalid parameter "query": 1:5: parse error: expected'],
  ["query?query=up&time=soon", 400, "bad_data", 'invalid parameter "time"'],
  ["query_range?query=up&start=0&end=1e6&step=1", 400, "bad_data", "exceeded maximum resolution"],
  [
    "query_range?query=up[1m]&start=0&end=1&step=1",
    400,
    "bad_data",
    'invalid parameter "query": invalid expression type',
  ],
  ["query?query=vector(1)&timeout=x", 400, "bad_data", 'invalid parameter "timeout"'],
  ["series", 400, "bad_data", 'invalid parameter "match[]": no match[] parameter provided'],
  ["labels?match[]={}", 400, "bad_data", 'invalid parameter "match[]"'],
])("%s is %i", async (path, status, errorType, says) => {
  const { ask } = await openDoor();
  expect(await ask(path)).toEqual({
    status,
    body: { status: "error", errorType, error: expect.stringContaining(says) },
  });
});

test("two series where one may be is no fault of the text", async () => {
  const { ask, importText } = await openDoor();
  await importText('a{x="1"} 4\na{x="2"} 5\nb 1\n');
  expect(await ask("query", form({ query: "b + on() a" }))).toMatchObject({
    ...{ status: 422, body: { errorType: "execution", error: expect.stringContaining("many-to-many") } },
  });
});

const remote = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };

test("remote write: kept and 204, or not and 400 with words", async () => {
  const { ask } = await openDoor();
  const write = (times: Float64Array<ArrayBuffer>, values: Float64Array<ArrayBuffer>) => {
    const body = Buffer.from(
      compress(writeWriteRequest([{ labels: labelsOf({ __name__: "w", a: "b" }), times, values }])),
    );
    return ask("write", { method: "POST", body, headers: remote });
  };
  const nowMs = Date.now();
  const good = [Float64Array.of(nowMs - 1_000, nowMs), Float64Array.of(1, 2)] as const;
  expect(await write(...good)).toEqual({ status: 204, body: undefined });
  expect(await write(...good)).toMatchObject({ status: 204 });
  const bad = await write(Float64Array.of(nowMs, nowMs + 1), Float64Array.of(3, 4));
  expect(bad).toMatchObject({
    status: 400,
    body: { errorType: "bad_data", error: expect.stringMatching(/^1 of .* w/) },
  });
  expect((await ask("query?query=w")).body.data.result).toMatchObject([{ value: [expect.any(Number), "4"] }]);
});

test.each<[what: string, body: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>>]>([
  ["no snappy", Uint8Array.of(1, 2, 3), remote],
  ["a claim of gigabytes", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0), remote],
  ["no protobuf", new Uint8Array(compress(Uint8Array.of(0xff, 0xff))), remote],
])("%s is refused by remote write", async (_what, body, headers) => {
  const { ask } = await openDoor();
  const answer = await ask("write", { method: "POST", body, headers });
  expect(answer).toMatchObject({ status: 400, body: { status: "error", errorType: "bad_data" } });
});

test("lines that cannot be read are named, the others kept", async () => {
  const { ask, importText } = await openDoor();
  const answer = await importText("good 1\nbad x\n{ 1\n");
  expect(answer.status).toBe(400);
  expect(answer.body.error).toMatch(/^2 of what came are not kept, the rest is: line 2: "x" is no number/);
  expect((await ask("query?query=good")).body.data.result).toHaveLength(1);
  const seconds = (Date.now() / 1_000).toFixed(3);
  expect(await importText(`om 1 ${seconds}\n# EOF\n`, "application/openmetrics-text; version=1.0.0")).toMatchObject({
    status: 204,
  });
});

test("forms and bytes are for their endpoints only, and who may only look writes nothing", async () => {
  const { ask } = await openDoor();
  const text = { method: "POST", body: "a 1", headers: { "content-type": "text/plain" } };
  expect(await ask("query", text)).toMatchObject({ status: 415, body: { status: "error" } });
  expect(await ask("import/text", text, "viewer")).toMatchObject({ status: 403, body: { code: "denied" } });
  const many = { method: "POST", body: new URLSearchParams([...Array(1_001)].map((_, i) => [`a${i}`, ""])) };
  expect(await ask("query", many)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining("1000 fields") },
  });
});

test("the hub's own metrics go in, and what is told no more has ended", async () => {
  const metrics = openOwn();
  const clock = handClock(Date.now() - 60_000);
  let told = "a 1\nb 2\n";
  const loop = ownMetricsLoop({ metrics, clock, instance: "hub:1", render: () => told });
  const signal = new AbortController().signal;
  const first = loop.run(signal);
  await clock.turn(1_000);
  await first;
  told = "a 3\n";
  await clock.turn(15_000);
  await loop.run(signal);
  const at = { startMs: clock.nowMs(), endMs: clock.nowMs(), stepMs: 0 };
  const pointsOf = async (text: string) => {
    const question = { kind: "query", text, range: at, timeoutMs: 1_000, limit: 0 } as const;
    const pieces: Uint8Array[] = [];
    for await (const piece of await metrics.ask(question, signal)) pieces.push(piece);
    const { data } = queryAnswerShape.parse(JSON.parse(Buffer.concat(pieces).toString()));
    return data.resultType === "vector" ? data.result.map(({ metric, value }) => ({ metric, value: value[1] })) : [];
  };
  expect(await pointsOf("a")).toEqual([{ metric: { __name__: "a", job: "fed", instance: "hub:1" }, value: "3" }]);
  expect(await pointsOf('up{job="fed"}')).toMatchObject([{ value: "1" }]);
  expect(await pointsOf("scrape_samples_scraped")).toMatchObject([{ value: "1" }]);
  expect(await pointsOf("b")).toEqual([]);
});

test("a store is opened again after it was closed and given back, with what it had", async () => {
  const folder = tempFolder();
  const one = openMetrics({ folder, clock: systemClock });
  const batch = {
    labels: [labelsOf({ __name__: "a" })],
    times: Float64Array.of(Date.now()),
    values: Float64Array.of(7),
  };
  expect(await one.append(batch, "")).toMatchObject({ added: 1, refused: 0 });
  const other = openMetrics({ folder, clock: systemClock });
  onTestFinished(() => other.close());
  await expect(other.append(batch, "")).rejects.toMatchObject({ code: "conflict" });
  await one.close();
  await expect(one.append(batch, "")).rejects.toMatchObject({ code: "unreachable" });
  expect(await other.append(batch, "")).toMatchObject({ same: 1 });
});
