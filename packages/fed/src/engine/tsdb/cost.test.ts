import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { labelsOf } from "../series/labels.ts";
import { openTsdb } from "./tsdb.ts";

const startMs = 1_700_006_400_000;
const minuteMs = 60_000;

it("tells what each metric takes on the disk: by its bytes, not by its series, and all together what the pages take", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fed-tsdb-cost-"));
  const store = await openTsdb(folder, { clock: handClock(startMs + 1000 * minuteMs) });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const still = Array.from({ length: 50 }, (_, nth) => labelsOf({ __name__: "still", nth: `${nth}` }));
  const labels = [...still, labelsOf({ __name__: "noise" }), labelsOf({ __name__: "gone" })];
  const seen = (await store.stats()).metrics;
  expect(seen).toEqual([]);
  for (let i = 0; i < 240; i++) {
    const rows = i < 10 ? labels : labels.slice(0, -1);
    const times = new Float64Array(rows.length).fill(startMs + i * minuteMs);
    const values = Float64Array.from(rows, (_, nth) => (nth === 50 ? Math.sin(i * 7919) : nth));
    await store.append({ labels: rows, times, values });
    if (i === 0) expect((await store.stats()).metrics.map(({ name }) => name)).toEqual(["still", "gone", "noise"]);
  }
  await store.maintain();
  const { metrics, metricsOfBytes, blockBytes } = await store.stats();
  expect(metrics).toMatchObject([
    { name: "noise", series: 1, samples: 120 },
    { name: "still", series: 50, samples: 6000 },
    { name: "gone", series: 1, samples: 10 },
  ]);
  // Random digits take six bytes and more.
  expect(metrics[0]?.sizeBytes).toBeGreaterThan(120 * 6);
  const sum = metrics.reduce((all, { sizeBytes }) => all + sizeBytes, 0);
  expect(metricsOfBytes).toBe(blockBytes);
  // The index is the rest.
  expect(sum).toBeGreaterThan(blockBytes * 0.6);
  expect(sum).toBeLessThan(blockBytes);
});
