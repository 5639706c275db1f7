import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { makeMeter } from "../../packages/fed/src/base/meter.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { tempFolder } from "../../packages/fed/src/disk/fixture.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import { openTsdb } from "../../packages/fed/src/engine/tsdb/tsdb.ts";
import { openForwarding } from "../../packages/fed/src/hub/metric/forward-verbs.ts";
import { openPrometheus, prometheus, readPrometheus } from "./metric-peer.ts";
import { until } from "./stage.ts";

const without = prometheus === undefined ? " [skipped: no prometheus here]" : "";
const labels = Array.from({ length: 40 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));

test.skipIf(without !== "")(`what a real Prometheus refuses costs nothing else${without}`, async () => {
  const metrics = await openPrometheus();
  const store = await openTsdb(tempFolder(), { clock: systemClock });
  const forwarding = openForwarding({
    ...{ clock: systemClock, trace: silentTrace, meter: makeMeter(), version: "1", firstMs: 0 },
    ...{ outbox: async () => store.outbox, readSecret: async () => "", turned: () => undefined },
  });
  onTestFinished(async () => {
    await forwarding.close();
    await store.close();
  });
  await store.outbox.follow(["metrics"]);
  const startMs = Date.now() - 60_000;
  const append = (timeMs: number, late: readonly number[] = []) => {
    const all = [...late.map((nth) => labels[nth] as readonly string[]), ...labels];
    const times = Float64Array.from(all, (_, row) => (row < late.length ? timeMs - 5_000 : timeMs));
    return store.append({ labels: all, times, values: times });
  };
  forwarding.update({ remoteWrite: { metrics: { url: `${metrics.url}/api/v1/write` } } });
  const sentOf = async () => (await forwarding.list())[0]?.sentSamples ?? 0;
  await append(startMs);
  await until("the first", async () => ((await sentOf()) === 40 ? true : undefined));
  // In between what is there and what is new; the target has no window for that.
  expect(await append(startMs + 1_000, [7, 23])).toMatchObject({ added: 42, refused: 0 });
  await until("the second", async () => ((await sentOf()) === 80 ? true : undefined));
  await append(startMs + 2_000);
  await until("the third", async () => ((await sentOf()) === 120 ? true : undefined));
  expect((await forwarding.list())[0]).toMatchObject({
    ...{ refusedSamples: 2, lastError: { kind: "refused", reason: "it answers 400: out of order sample" } },
  });
  const held = await readPrometheus(metrics.url, "m", 600, Date.now());
  expect([...held.values()].map((samples) => [...samples.keys()])).toEqual(
    labels.map(() => [startMs, startMs + 1_000, startMs + 2_000]),
  );
});
