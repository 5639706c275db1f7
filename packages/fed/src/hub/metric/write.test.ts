import { compress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { tempFolder } from "#disk/fixture.ts";
import { writeWriteRequest } from "#engine/exposition/remote-write.ts";
import { labelsOf } from "#engine/series/labels.ts";
import { api } from "#wire/api.ts";
import type { AnyHandler } from "../serve/route.ts";
import { openScene } from "../serve/serve.scene.ts";
import { openDoor } from "./door.scene.ts";
import { openMetrics } from "./verbs.ts";
import { writeHandlers } from "./write.ts";

const headers = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };

function request(...samples: readonly (readonly [timeMs: number, value: number])[]): Uint8Array<ArrayBuffer> {
  const times = Float64Array.from(samples, ([timeMs]) => timeMs);
  const values = Float64Array.from(samples, ([, value]) => value);
  return new Uint8Array(compress(writeWriteRequest([{ labels: labelsOf({ __name__: "w" }), times, values }])));
}

const written = (response: Response) => response.headers.get("x-prometheus-remote-write-samples-written");

test("it says how many samples are here now, also when not all are", async () => {
  const { fetchRaw } = await openDoor();
  const write = (body: Uint8Array<ArrayBuffer>) => fetchRaw("/api/v1/write", { method: "POST", body, headers });
  const nowMs = Date.now();
  const good = await write(request([nowMs - 1, 1], [nowMs, 2]));
  expect([good.status, written(good)]).toEqual([204, "2"]);
  expect(good.headers.get("x-prometheus-remote-write-histograms-written")).toBe("0");
  const partly = await write(request([nowMs, 3], [nowMs + 1, 4]));
  expect([partly.status, written(partly)]).toEqual([400, "1"]);
});

test.each<[what: string, headers: Readonly<Record<string, string>>, status: number]>([
  ["gzip", { ...headers, "content-encoding": "gzip" }, 415],
  ["zstd, which senders of VictoriaMetrics try first", { ...headers, "content-encoding": "zstd" }, 415],
  ["JSON", { ...headers, "content-type": "application/json" }, 415],
  [
    "version 2 of the protocol",
    { ...headers, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request" },
    415,
  ],
  ["version 1 by name", { ...headers, "content-type": "application/x-protobuf; proto=prometheus.WriteRequest" }, 204],
  ["no type at all", { "content-encoding": "snappy" }, 204],
])("%s", async (_what, given, status) => {
  const { fetchRaw } = await openDoor();
  const body = request([Date.now(), 1]);
  const response = await fetchRaw("/api/v1/write", { method: "POST", body, headers: given });
  expect(response.status).toBe(status);
  if (status === 415) expect(await response.json()).toMatchObject({ status: "error", errorType: "bad_data" });
});

test("more than a request may have is 413", async () => {
  const { fetchRaw } = await openDoor();
  const response = await fetchRaw("/api/v1/write", { method: "POST", body: new Uint8Array(9 * 2 ** 20), headers });
  expect([response.status, await response.json()]).toMatchObject([413, { status: "error" }]);
});

test("what the store suffers from is no fault of the sender's: 503, and when to try again; of a defect nothing is told", async () => {
  const metrics = openMetrics({ folder: tempFolder(), clock: systemClock });
  onTestFinished(() => metrics.close());
  const answerTo = async (fault: Error) => {
    const keep = () => Promise.reject(fault);
    const handlers = writeHandlers({ metrics: { ...metrics, keep }, clock: systemClock });
    const table = { remoteWrite: api.remoteWrite, importText: api.importText };
    const hub = await openScene({ table, handlers: handlers as unknown as Readonly<Record<string, AnyHandler>> });
    const response = await hub.get("/api/v1/write", {
      ...{ method: "POST", body: request([1, 1]) },
      headers: { ...headers, authorization: "Bearer operator" },
    });
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.text() };
  };
  expect(await answerTo(new Fault("denied", "the file system is read-only"))).toMatchObject({
    ...{ status: 503, retryAfter: "5", body: expect.stringContaining('"errorType":"unavailable"') },
  });
  const defect = await answerTo(new TypeError("x.y is no function"));
  expect(defect).toMatchObject({ status: 500, body: expect.stringContaining("a defect of its own") });
  expect(defect.body).not.toContain("x.y");
});

test("a text of old samples is taken, by each of its two doors", async () => {
  const { fetchRaw } = await openDoor();
  const post = async (path: string, body: string) => {
    const response = await fetchRaw(path, { method: "POST", body, headers: { "content-type": "text/plain" } });
    return { status: response.status, body: response.status === 204 ? undefined : await response.json() };
  };
  const [nowMs, oldMs] = [Date.now(), Date.now() - 90 * 86_400_000];
  await post("/api/v1/import/text", `a 1 ${nowMs}\n`);
  expect(await post("/api/v1/import/text", `a 2 ${oldMs}\n`)).toEqual({ status: 204, body: undefined });
  const text = `a 2 ${oldMs}\na 3 ${oldMs}\n\na 4\nb 4 ${oldMs}\nb{ 4 ${oldMs}\nb 5 1\n`;
  expect(await post("/api/v1/metric-import?line=11", text)).toEqual({
    status: 200,
    body: {
      ...{ added: 1, same: 1, refused: 4 },
      reasons: [
        "line 14: a has no time",
        "line 16: the labels have no end",
        expect.stringMatching(/^line 12: a has another value at .* already$/),
        expect.stringMatching(/^line 17: b at 1970-01-01T00:00:00.001Z is older than what is kept/),
      ],
    },
  });
  const old = await fetchRaw("/api/v1/write", { method: "POST", body: request([oldMs, 1]), headers });
  expect(old.status).toBe(400);
});
