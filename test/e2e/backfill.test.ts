import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { nodeSeries, randomOf, scrapeTimes } from "../../bench/node-series.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";
import { wantedOf } from "../promql/compare.ts";
import { type ApiAnswer, findPrometheus, startPrometheus } from "../promql/real-prometheus.ts";
import { dataOf, makeHome } from "./person.ts";
import { up } from "./stage.ts";

const minuteMs = 60_000;
const samples = 300;
/** Sixty days ago, over the end of a day. */
const startMs = Math.floor(Date.now() / 86_400_000 - 60) * 86_400_000 - 100 * minuteMs;

function makeSeries(): readonly Series[] {
  const times = scrapeTimes(startMs, minuteMs, samples);
  const made: Series[] = nodeSeries(60, samples, 30).map(({ labels, values }) => ({
    ...{ labels: labelsOf(labels), times, values },
  }));
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-300, 0.1, 12_345.678_9];
  const random = randomOf(5);
  const values = Float64Array.from(times, () => odd[Math.floor(random() * odd.length)] as number);
  return [...made, { labels: labelsOf({ __name__: "odd", text: 'a "quoted\\ one' }), times, values }];
}

const queries = [
  '{__name__=~".+", job!="fed"}',
  "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
  'count by (__name__) ({__name__=~"node_.*"})',
  "avg_over_time(odd[7m])",
  "changes(odd[30m])",
];

const binary = findPrometheus();

/** To ten digits: sums may be added up in another order. */
function cellsOf({ data }: ApiAnswer) {
  expect(data).toBeDefined();
  return [...wantedOf(data as Exclude<typeof data, undefined>)]
    .map(([key, cells]) => [key, [...cells].map(([time, value]) => [time, value.toPrecision(10)])])
    .sort();
}

test.skipIf(binary === undefined)(
  "what a Prometheus had is asked of the hub with the same answers, also after kill -9",
  { timeout: 60_000 },
  async () => {
    const series = makeSeries();
    const real = await startPrometheus(binary as Exclude<typeof binary, undefined>, series);
    onTestFinished(() => real.stop());
    const { stage, hub, owner } = await makeHome();
    const dump = spawnSync("promtool", ["tsdb", "dump", real.folder], { encoding: "utf8", maxBuffer: 2 ** 28 });
    const file = join(owner.home, "dump.txt");
    writeFileSync(file, dump.stdout);
    const all = series.length * samples;
    const first = await owner.fed("metrics", "import", file, "--json");
    expect(dataOf(first)).toMatchObject({ complete: true, lines: all, added: all, same: 0, refused: 0 });
    const again = await owner.shell(`fed metrics import - < dump.txt`).ending;
    expect([again.code, again.out, again.err]).toEqual([
      0,
      expect.stringContaining("0 samples taken, 9,300 there already"),
      "",
    ]);
    const odd = `odd{text="other"} 1\nup 1 ${startMs}\nup 2 ${startMs}\n`;
    const refused = await owner.tell(odd, "metrics", "import", "-");
    expect(refused).toMatchObject({ code: 2, out: expect.stringContaining("refused line 3: up has another value") });
    expect(refused.out).toContain('refused line 1: odd{text="other"} has no time');

    const made = await owner.fed("token", "create", "reader", "--role", "viewer", "--json");
    const { secret } = dataOf<{ secret: string }>(made);
    const askHub = async (url: string, params: Readonly<Record<string, string>>): Promise<ApiAnswer> => {
      const init = {
        method: "POST",
        body: new URLSearchParams(params),
        headers: { authorization: `Bearer ${secret}` },
      };
      return (await (await fetch(`${url}/api/v1/query_range`, init)).json()) as ApiAnswer;
    };
    const compare = async (url: string) => {
      for (const query of queries) {
        const [start, end] = [startMs / 1000 + 617, startMs / 1000 + 60 * samples];
        const params = { query, start: `${start}`, end: `${end}`, step: "173" };
        const [theirs, ours] = [await real.ask("query_range", params), await askHub(url, params)];
        const cells = cellsOf(theirs);
        expect(cells.length).toBeGreaterThan(0);
        const without = cellsOf(ours).filter(([key]) => key !== "__name__\u0000up");
        expect(without, query).toEqual(cells);
      }
    };
    await compare(hub.url);
    hub.child.kill("SIGKILL");
    await hub.ending;
    await compare((await up(stage)).url);
  },
);
