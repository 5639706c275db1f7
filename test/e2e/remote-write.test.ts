import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  differences,
  freePort,
  type Held,
  type MetricPeer,
  numbersOf,
  openPrometheus,
  openVictoria,
  prometheus,
  readPrometheus,
  readVictoria,
  victoria,
} from "./metric-peer.ts";
import { makePerson } from "./person.ts";
import { makeStage, until, up } from "./stage.ts";

/** A real Prometheus sends to fed, and fed to a real Prometheus and a real VictoriaMetrics, while each of them is stopped and started. */

/** FED_REMOTE_WRITE_SECONDS=60 is a minute; here there is less time. */
const seconds = Number(process.env.FED_REMOTE_WRITE_SECONDS ?? 7);
const without =
  prometheus === undefined || victoria === undefined ? " [skipped: no prometheus or victoria-metrics]" : "";

/** Scrapes itself each second, and sends that to fed. */
const sender = (url: string, token: string) => (port: number) =>
  `
global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: self, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }
remote_write:
  - url: ${url}/api/v1/write
    authorization: { credentials: ${token} }
    queue_config: { batch_send_deadline: 500ms, max_backoff: 1s }
`;

async function openHub(targets: Readonly<Record<string, MetricPeer>>) {
  const stage = await makeStage();
  const [port, written] = [await freePort(), writtenOf(targets)];
  await stage.edit((text) => text.replace("services: {", `metrics: { remoteWrite: { ${written} } },\n  services: {`));
  const start = () => up(stage, "--port", String(port));
  let hub = await start();
  const owner = await makePerson(stage, "owner", { FED_DATA: stage.data });
  const made = await owner.fed("token", "create", "prometheus", "--role", "operator", "--json");
  const { secret } = JSON.parse(made.out) as { readonly secret: string };
  return {
    ...{ stage, owner, secret, url: `http://127.0.0.1:${port}` },
    async kill() {
      hub.child.kill("SIGKILL");
      await hub.ending;
    },
    async start() {
      hub = await start();
    },
  };
}

function writtenOf(targets: Readonly<Record<string, MetricPeer>>): string {
  return Object.entries(targets)
    .map(([name, { url }]) => `${name}: { url: ${JSON.stringify(`${url}/api/v1/write`)} }`)
    .join(", ");
}

test.skipIf(without !== "")(
  `all samples of a Prometheus reach fed, and from there a Prometheus and a VictoriaMetrics${without}`,
  { timeout: 60_000 + seconds * 2_000 },
  async () => {
    const [metrics, years] = await Promise.all([openPrometheus(), openVictoria()]);
    const hub = await openHub({ metrics, years });
    const from = await openPrometheus({ settings: sender(hub.url, hub.secret) });
    const part = (seconds * 1_000) / 5;

    await pause(part);
    await metrics.stop();
    await pause(part);
    await hub.kill();
    await years.stop();
    await pause(part);
    await hub.start();
    await pause(part);
    await Promise.all([metrics.start(), years.start()]);
    await pause(part);

    const atMs = Date.now();
    const within = seconds + 30;
    const sent = await readPrometheus(from.url, '{job="self"}', within, atMs);
    expect(sent.size).toBeGreaterThan(300);
    const samples = [...sent.values()].reduce((sum, { size }) => sum + size, 0);
    expect(samples).toBeGreaterThan(300 * (seconds - 3));
    const same = async (wanted: Held, read: () => Promise<Held>) => {
      let last: readonly string[] = [];
      await until(`all of ${samples} samples`, async () => {
        last = differences(wanted, await read());
        return last.length === 0 ? true : undefined;
      }).catch((thrown: unknown) => {
        throw new Error(`${last.length} differences: ${last.slice(0, 5).join("; ")}`, { cause: thrown });
      });
    };
    await same(sent, () => readPrometheus(hub.url, '{job="self"}', within, atMs, hub.secret));
    await same(sent, () => readPrometheus(metrics.url, '{job="self"}', within, atMs));
    await same(numbersOf(sent), () => readVictoria(years.url, '{job="self"}', within, atMs));

    const shown = await hub.owner.fed("metrics", "remote-write", "--json");
    const listed = JSON.parse(shown.out) as readonly Readonly<Record<string, unknown>>[];
    expect(listed).toMatchObject([
      { name: "metrics", state: "sending", droppedSamples: 0, refusedSamples: 0 },
      { name: "years", state: "sending", droppedSamples: 0, refusedSamples: 0 },
    ]);
    expect((await hub.owner.fed("metrics", "remote-write")).out).toMatch(/^metrics +sending +[\d,]+/m);
  },
);
