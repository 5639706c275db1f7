import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { compress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { writeWriteRequest } from "../../packages/fed/src/engine/exposition/remote-write.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import { queries } from "../promql/queries.ts";
import { openPrometheus, prometheus } from "./metric-peer.ts";
import { dataOf, makeHome } from "./person.ts";
import { mountSmallDisk, withoutSmallDisk } from "./small-disk.ts";
import { makeStage, until, up } from "./stage.ts";

/** The real programs that people point at a hub: a Prometheus that scrapes it and sends to it, promtool, and Grafana's requests. */

const run = promisify(execFile);
const without = prometheus === undefined ? " [skipped: there is no prometheus]" : "";
const three = prometheus !== undefined && Number(prometheus.version.split(".")[0]) >= 3;

async function openHub() {
  const { hub, owner } = await makeHome();
  const token = async (role: string) => {
    const made = await owner.fed("token", "create", `a-${role}`, "--role", role, "--json");
    return dataOf<{ secret: string }>(made).secret;
  };
  const [viewer, operator] = [await token("viewer"), await token("operator")];
  const basic = `Basic ${Buffer.from(`grafana:${viewer}`).toString("base64")}`;
  const ask = async (path: string, form?: Readonly<Record<string, string>>) => {
    const body = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    const answer = await fetch(`${hub.url}${path}`, { ...body, headers: { authorization: basic } });
    return { status: answer.status, body: (await answer.json()) as { data: unknown; errorType?: string } };
  };
  await until("up of the hub", async () => {
    const { data } = (await ask("/api/v1/query?query=up%7Bmachine%3D%22%22%7D")).body as {
      data: { result: readonly unknown[] };
    };
    return data.result[0];
  });
  return { url: hub.url, viewer, operator, ask };
}

const guide = join(import.meta.dirname, "../../docs/PROMETHEUS.md");

/** What the guide says for a Prometheus, for this hub; it scrapes itself too, and tells what its metrics are at once. */
async function writeConfig(url: string, tokens: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "fed-guide-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const blocks = [...(await readFile(guide, "utf8")).matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);
  let text = blocks.join("").replaceAll("hub.home:4747", new URL(url).host);
  for (const [name, secret] of Object.entries(tokens)) {
    await writeFile(join(folder, name), `${secret}\n`);
    text = text.replaceAll(name, join(folder, name));
  }
  expect(blocks).toHaveLength(2);
  const soon = "    metadata_config: { send_interval: 1s }\n    queue_config: { batch_send_deadline: 500ms }\n";
  return (port: number) => {
    const self = `  - { job_name: self, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }\n`;
    return `global: { scrape_interval: 1s }\n${text.replace("scrape_configs:\n", (all) => all + self)}${soon}`;
  };
}

test.skipIf(prometheus === undefined)(
  `a Prometheus scrapes the hub's samples and metrics, and tells it of its own${without}`,
  async () => {
    const { url, viewer, operator, ask } = await openHub();
    const imported = await fetch(`${url}/api/v1/import/text`, {
      ...{ method: "POST", body: 'only_here{job="other"} 7\n' },
      headers: { authorization: `Bearer ${operator}`, "content-type": "text/plain" },
    });
    expect(imported.status).toBe(204);
    const peer = await openPrometheus({
      settings: await writeConfig(url, { "grafana.token": viewer, "prometheus.token": operator }),
    });
    const there = async (query: string) => {
      const answer = await fetch(`${peer.url}/api/v1/query?${new URLSearchParams({ query })}`);
      const { data } = (await answer.json()) as { data: { result: readonly { metric: Record<string, string> }[] } };
      return data.result[0]?.metric;
    };
    expect(await until("what is federated", () => there("only_here"))).toEqual({ __name__: "only_here", job: "other" });
    for (const job of ["fed-federate", "fed"]) await until(job, () => there(`up{job="${job}"} == 1`));
    expect(await there('fed_events_total{job="fed"}')).toBeDefined();

    const name = "prometheus_tsdb_head_samples_appended_total";
    // Its samples may come before it.
    const note = await until("its metadata", async () => {
      const { data } = (await ask(`/api/v1/metadata?metric=${name}`)).body as { data: Notes };
      return data[name]?.find(({ type }) => type !== "unknown");
    });
    expect(note).toMatchObject({ type: "counter", help: expect.stringContaining("samples") });
    await until("its samples", async () => {
      const { data } = (await ask(`/api/v1/series?match[]=${name}{job="self"}`)).body as { data: readonly unknown[] };
      return data[0];
    });
  },
);

type Notes = Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>;

test.skipIf(prometheus === undefined)(`promtool asks the hub${without}`, async () => {
  const { url, viewer } = await openHub();
  const server = url.replace("http://", `http://fed:${viewer}@`);
  const ask = async (...words: readonly string[]) => (await run("promtool", ["query", ...words])).stdout;
  const told = [...(await readFile(guide, "utf8")).matchAll(/^(promtool|curl -u) .*$/gm)].map(([line]) => line);
  expect(told).toHaveLength(5);
  for (const line of told) {
    const { host } = new URL(url);
    const { stdout } = await run("sh", ["-c", line.replaceAll("hub.home:4747", host).replaceAll("TOKEN", viewer)]);
    expect(stdout, line).toMatch(line.includes("rate(") ? /^\s*$|job="fed"/ : /fed/);
  }
  expect(await ask("instant", server, 'up{job="fed"}')).toMatch(/^up\{.*job="fed".*\} => 1 @\[/);
  expect(await ask("range", "--step=1s", server, "1 + 1")).toContain("2 @[");
  expect(await ask("series", "--match=up", server)).toContain('job="fed"');
  expect((await ask("labels", server, "job")).trim()).toBe("fed");
  await expect(run("promtool", ["query", "instant", server, "up{"])).rejects.toMatchObject({
    stderr: expect.stringContaining('invalid parameter "query": 1:4: parse error: '),
  });
  // As its newer versions do by `check healthy` and `check ready`.
  for (const probe of ["healthy", "ready"]) expect((await fetch(`${url}/-/${probe}`)).status).toBe(200);
});

interface Tree {
  readonly matchers?: readonly { readonly name: string }[];
}

/** Prometheus keeps the order in which matchers are written. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { matchers } = value as Tree;
  const same = matchers ? { ...value, matchers: [...matchers].sort((a, b) => (a.name < b.name ? -1 : 1)) } : value;
  return Object.fromEntries(Object.entries(same).sort());
}

const bad: readonly (readonly [path: string, params: Readonly<Record<string, string>>])[] = [
  ...["", "sum(", "up{", "foo bar", "rate(x)", "x[5m", "nofunc(x)", '{x=~"("}', "{}", "x and 1", "topk(3)"].map(
    (query) => ["query", { query }] as const,
  ),
  ...[{ time: "abc" }, { timeout: "abc" }, { limit: "-1" }].map((more) => ["query", { query: "up", ...more }] as const),
  ["query_range", { query: "up[5m]", start: "0", end: "10", step: "1" }],
  ["query_range", { query: "up", start: "0", end: "1000000", step: "1" }],
  ["query_range", { query: "up", start: "1", end: "0", step: "1" }],
  ["query_range", { query: "up" }],
  ["query", { query: "label_replace(vector(1), 'a', 'b', 'c', '(')" }],
  ["series", {}],
  ["labels", { "match[]": "{" }],
  ["query_exemplars", { query: "{" }],
];

test.skipIf(!three)(`trees of queries, and refusals, are those of a Prometheus 3${without}`, async () => {
  const [{ ask }, peer] = [await openHub(), await openPrometheus()];
  const askPeer = async (path: string, form: Readonly<Record<string, string>>) => {
    const answer = await fetch(`${peer.url}${path}`, { method: "POST", body: new URLSearchParams(form) });
    return { status: answer.status, body: (await answer.json()) as { data: unknown; errorType?: string } };
  };
  const more = [
    "1e21",
    "a[5m:] @ end() offset -5m",
    "a @ 1234.5",
    '{"a.b", x="y"}',
    "minute()",
    "1 == bool 2",
    "-(-a)",
  ];
  for (const query of [...queries, ...more, "a + ignoring(x) group_right(y) b", 'label_join(a, "b", "c")']) {
    const [ours, theirs] = [
      await ask("/api/v1/parse_query", { query }),
      await askPeer("/api/v1/parse_query", { query }),
    ];
    expect(JSON.stringify(ours.body.data, sorted), query).toBe(JSON.stringify(theirs.body.data, sorted));
  }
  for (const [path, params] of bad) {
    const [ours, theirs] = [await ask(`/api/v1/${path}`, params), await askPeer(`/api/v1/${path}`, params)];
    const what = `${path} ${JSON.stringify(params)}`;
    expect([what, ours.status, ours.body.errorType]).toEqual([what, theirs.status, theirs.body.errorType]);
  }
});

test("what Grafana's data source asks, in its words", async () => {
  const { ask, url } = await openHub();
  expect((await ask("/api/v1/query", { query: "1+1", time: String(Date.now() / 1_000) })).body).toMatchObject({
    ...{ status: "success", data: { resultType: "scalar", result: [expect.any(Number), "2"] } },
  });
  const { data: build } = (await ask("/api/v1/status/buildinfo")).body as { data: Record<string, unknown> };
  expect(build).toMatchObject({ version: expect.stringMatching(/^3\./) });
  expect(build.features).toBeUndefined();
  const now = Math.floor(Date.now() / 1_000);
  const span = { start: String(now - 60), end: String(now + 1) };
  const range = { query: "up", ...span, step: "15", timeout: "30s" };
  expect((await ask("/api/v1/query_range", range)).body).toMatchObject({ data: { resultType: "matrix" } });
  const own = { "match[]": 'up{machine=""}', ...span, limit: "40000" };
  expect((await ask("/api/v1/series", own)).body.data).toHaveLength(1);
  expect((await ask("/api/v1/labels", { "match[]": "up", ...span, limit: "40000" })).body.data).toContain("job");
  expect((await ask(`/api/v1/label/job/values?match[]=up&${new URLSearchParams(span)}`)).body.data).toEqual(["fed"]);
  expect((await ask("/api/v1/label/U__job/values")).body.data).toEqual(["fed"]);
  expect((await ask("/api/v1/metadata?limit=1")).status).toBe(200);
  expect((await ask("/api/v1/rules")).body.data).toEqual({ groups: [] });
  expect((await ask("/api/v1/query_exemplars", { query: "up", ...span })).body.data).toEqual([]);
  const alertmanager = await fetch(`${url}/alertmanager/api/v2/status`, { headers: { accept: "text/html,*/*" } });
  expect(alertmanager.status).toBe(404);
});

test.skipIf(withoutSmallDisk !== "")(
  `a full disk is 503 for who sends samples, with a time to come again, and nothing is lost${withoutSmallDisk}`,
  async () => {
    const stage = await makeStage();
    const disk = mountSmallDisk(stage.data, 32);
    const hub = await up(stage);
    const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
    let sent = 0;
    const write = () => {
      const labels = labelsOf({ __name__: "sent", nth: String(sent % 10) });
      const one = { labels, times: Float64Array.of(Date.now()), values: Float64Array.of(++sent) };
      const headers = {
        ...{ authorization: `Bearer ${token}`, "content-encoding": "snappy" },
        "content-type": "application/x-protobuf",
      };
      const body = new Uint8Array(compress(writeWriteRequest([one])));
      return fetch(`${hub.url}/api/v1/write`, { method: "POST", headers, body });
    };
    expect((await write()).status).toBe(204);
    disk.fill();
    const refused = await until("a refusal", async () => {
      const answer = await write();
      return answer.status === 204 ? undefined : answer;
    });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refused.json()).toMatchObject({ status: "error", errorType: "unavailable" });
    disk.empty();
    await until("room", async () => ((await write()).status === 204 ? true : undefined));
    hub.child.kill("SIGINT");
    await hub.ending;
  },
);
