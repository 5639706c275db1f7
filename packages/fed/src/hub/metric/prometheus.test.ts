import { expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { form, openDoor } from "./door.scene.ts";
import { ownMetricsLoop } from "./loop.ts";

/** Scrapes something of the hub's own once. */
async function scrapeOwn({ metrics }: Awaited<ReturnType<typeof openDoor>>, told: string) {
  // Its first run waits for the start of the hub.
  const clock = { ...systemClock, after: (_ms: number, wake: () => void) => systemClock.after(0, wake) };
  const loop = ownMetricsLoop({ metrics, clock, instance: "hub:1", render: () => told });
  await loop.run(new AbortController().signal);
}

test("what is not there yet is empty, in the right shape", async () => {
  const { ask } = await openDoor();
  const data = async (path: string) => (await ask(path, {}, "viewer")).body.data;
  expect(await data("rules")).toEqual({ groups: [] });
  expect(await data("alerts")).toEqual({ alerts: [] });
  expect(await data("alertmanagers")).toEqual({ activeAlertmanagers: [], droppedAlertmanagers: [] });
  expect(await data("query_exemplars?query=up&start=1&end=2")).toEqual([]);
  expect(await ask("query_exemplars", form({ query: "up{" }))).toMatchObject({ status: 400 });
  expect(await ask("query_exemplars?query=up&start=3&end=2")).toMatchObject({ status: 400 });
  expect(await data("targets")).toEqual({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} });
  expect(await data("status/config")).toEqual({ yaml: "" });
});

test("the hub is its own target, with what is true of its last scrape", async () => {
  const door = await openDoor();
  await scrapeOwn(door, "# TYPE a_total counter\n# HELP a_total How many.\na_total 1\n");
  const { ask, importText } = door;
  await importText("# TYPE sent gauge\nsent 1\n");
  const { data } = (await ask("targets?state=active")).body;
  expect(data).toMatchObject({
    activeTargets: [
      {
        ...{ labels: { instance: "hub:1", job: "fed" }, scrapePool: "fed", health: "up", lastError: "" },
        ...{ scrapeUrl: "http://hub:1/metrics", globalUrl: "http://hub:1/metrics" },
        ...{ scrapeInterval: "15s", scrapeTimeout: "10s" },
      },
    ],
    ...{ droppedTargets: [], droppedTargetCounts: { fed: 0 } },
  });
  const [{ lastScrape, lastScrapeDuration }] = data.activeTargets;
  expect(Math.abs(Date.parse(lastScrape) - Date.now())).toBeLessThan(60_000);
  expect(lastScrapeDuration).toBeGreaterThan(0);
  expect((await ask("targets?state=dropped")).body.data.activeTargets).toEqual([]);
  expect((await ask("targets?scrapePool=other")).body.data.activeTargets).toEqual([]);
  expect((await ask("scrape_pools")).body.data).toEqual({ scrapePools: ["fed"] });
  const notes = [
    { target: { instance: "hub:1", job: "fed" }, metric: "a_total", type: "counter", help: "How many.", unit: "" },
  ];
  expect((await ask('targets/metadata?match_target={job="fed"}&metric=a_total')).body.data).toEqual(notes);
  expect((await ask("targets/metadata")).body.data).toEqual(notes);
  expect((await ask("metadata?metric=sent")).body.data).toMatchObject({ sent: [{ type: "gauge" }] });
  expect((await ask('targets/metadata?match_target={job="x"}')).body.data).toEqual([]);
  expect((await ask("status/config")).body.data.yaml).toContain("    - hub:1\n");
});

test("a scrape that fails is a target that is down, with the reason", async () => {
  const door = await openDoor();
  await expect(scrapeOwn(door, "a x\n")).rejects.toMatchObject({ code: "internal" });
  const { activeTargets } = (await door.ask("targets")).body.data;
  expect(activeTargets).toMatchObject([{ health: "down", lastError: expect.stringContaining("badly told") }]);
});

test("status: settings, the process, and which labels cost most", async () => {
  const { ask, importText } = await openDoor();
  await importText('a{x="1"} 1\na{x="2"} 1\nb 1\n');
  expect((await ask("status/flags")).body.data).toMatchObject({
    ...{
      "query.lookback-delta": "5m",
      "storage.tsdb.retention.time": "400d",
      "web.enable-remote-write-receiver": "true",
    },
  });
  const { data: runtime } = (await ask("status/runtimeinfo")).body;
  expect(runtime).toMatchObject({ reloadConfigSuccess: true, corruptionCount: 0, storageRetention: "400d" });
  expect(Date.parse(runtime.startTime)).toBeLessThan(Date.parse(runtime.serverTime));
  const { data } = (await ask("status/tsdb?limit=1")).body;
  expect(data).toMatchObject({
    headStats: { numSeries: 3, numLabelPairs: 4, chunkCount: 3 },
    seriesCountByMetricName: [{ name: "a", value: 2 }],
    labelValueCountByLabelName: [{ name: "__name__", value: 2 }],
    memoryInBytesByLabelName: [{ name: "__name__", value: 3 }],
    seriesCountByLabelValuePair: [{ name: "__name__=a", value: 2 }],
  });
  expect(Math.abs(data.headStats.maxTime - Date.now())).toBeLessThan(60_000);
  expect(await ask("status/tsdb?limit=0")).toMatchObject({ status: 400, body: { status: "error" } });
});

test("a query as a tree", async () => {
  const { ask } = await openDoor();
  const query = 'sum without (a) (rate(x{b=~"c"}[5m] offset 1m)) * on (d) group_left (e) y @ start() > bool 1e21';
  const { data } = (await ask("parse_query", form({ query }))).body;
  expect(data).toMatchObject({
    ...{ type: "binaryExpr", op: ">", bool: true, matching: null },
    rhs: { type: "numberLiteral", val: "1000000000000000000000" },
    lhs: {
      matching: { card: "many-to-one", labels: ["d"], on: true, include: ["e"] },
      lhs: {
        ...{ type: "aggregation", op: "sum", param: null, grouping: ["a"], without: true },
        expr: {
          func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
          args: [{ type: "matrixSelector", name: "x", range: 300_000, offset: 60_000, timestamp: null }],
        },
      },
      rhs: { type: "vectorSelector", name: "y", startOrEnd: "start" },
    },
  });
  expect(await ask("parse_query?query=sum(")).toMatchObject({ status: 400, body: { errorType: "bad_data" } });
});

test("federation: the newest sample of what matches and has not ended, with its time", async () => {
  const { fetchRaw, importText } = await openDoor();
  const nowMs = Date.now();
  const lines = [
    `b{x="a\\\\b\\"c\\n",instance="i"} 1.5 ${nowMs - 2_000}`,
    `b{x="a\\\\b\\"c\\n",instance="i"} 2.5 ${nowMs - 1_000}`,
    `a NaN ${nowMs - 3_000}`,
    `old 1 ${nowMs - 301_000}`,
    `{"x.y",instance="i"} -Inf ${nowMs - 3_000}`,
    `other 1`,
  ];
  expect(await importText(`${lines.join("\n")}\n`)).toMatchObject({ status: 204 });
  const match = new URLSearchParams(["a", "b", "old", '{__name__=~"a|x.y"}'].map((one) => ["match[]", one]));
  const response = await fetchRaw(`/federate?${match}`, {}, "viewer");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toBe(
    [
      "# TYPE a untyped",
      `a{instance=""} NaN ${nowMs - 3_000}`,
      "# TYPE b untyped",
      `b{instance="i",x="a\\\\b\\"c\\n"} 2.5 ${nowMs - 1_000}`,
      '# TYPE "x.y" untyped',
      `{"x.y",instance="i"} -Inf ${nowMs - 3_000}`,
      "",
    ].join("\n"),
  );
  expect((await fetchRaw("/federate?match[]={}")).status).toBe(422);
  expect(await (await fetchRaw("/federate")).json()).toMatchObject({
    status: 422,
    detail: expect.stringContaining("no match[] parameter provided"),
  });
});
