import type { ExporterDocument, MachineDocument } from "@fed/lab";
import { expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { labelsToRecord, metricName } from "#engine/series/labels.ts";
import { isStale } from "#engine/series/series.ts";
import type { Appended, Batch } from "#engine/tsdb/batch.ts";
import { openTargets } from "#hub/metric/target.ts";
import { makeFakeExporters } from "#port/exporter.fake.ts";
import { openExporters } from "./verbs.ts";

const url = "http://10.0.0.5:9100/metrics";
const taken: Appended = { added: 0, same: 0, refused: 0, refusals: [] };
/** Longer than the first scrape waits. */
const soonMs = 5_000;

const labOf = (exporters: Readonly<Record<string, ExporterDocument>>): Record<string, MachineDocument> => ({
  node5: { kind: "server", address: "10.0.0.5", exporters },
});

function openScene(secrets: Readonly<Record<string, string>> = {}) {
  const clock = handClock();
  const door = makeFakeExporters();
  const targets = openTargets();
  const told: string[] = [];
  const problems: string[] = [];
  /** Those too that were said before. */
  const said: string[] = [];
  const notes: string[] = [];
  const scene = { isThere: true, append: (_batch: Batch): Appended => taken };
  const exporters = openExporters({
    ...{ clock, door, trace: silentTrace },
    async readSecret(name) {
      const value = secrets[name];
      if (value === undefined) throw new Fault("missing", `secret ${name} has no value`, { hint: "Set it." });
      return value;
    },
    async append(batch, machine) {
      told.push(...linesOf(batch).map((line) => `${machine} ${line}`));
      return scene.append(batch);
    },
    note: ({ metric, text }) => void notes.push(`${metric} ${text}`),
    report: targets.report,
    forget: targets.forget,
    problem(machine, collector, reason) {
      const words = `${machine} ${collector}: ${reason ?? "well"}`;
      if (said.findLast((one) => one.startsWith(`${machine} ${collector}:`)) !== words) problems.push(words);
      said.push(words);
    },
    isThere: () => scene.isThere,
  });
  onTestFinished(() => exporters.close());
  /** What was appended since the last time. */
  const news = () => told.splice(0);
  return { clock, door, targets, exporters, news, problems, said, notes, scene };
}

/** Without the reports but `up`. */
function linesOf({ labels, values }: Batch): readonly string[] {
  return labels.flatMap((one, row) => {
    const { [metricName]: name = "", job, instance } = labelsToRecord(one);
    if (name.startsWith("scrape_")) return [];
    return `${job} ${instance} ${name} ${isStale(values, row) ? "ends" : values[row]}`;
  });
}

test("an exporter of the lab is scraped at its pace, and ends with it", async () => {
  const { clock, door, targets, exporters, news, notes } = openScene();
  door.answer(url, "# HELP m Words.\nm 1\n");
  await exporters.update(labOf({ node: { url, every: "30s", timeout: "3s" } }));
  expect(door.asked).toEqual([]);
  await clock.turn(soonMs);
  expect(door.asked).toEqual([{ url, timeoutMs: 3_000, bytes: 16 * 1024 * 1024, authorization: undefined }]);
  expect(news()).toEqual(["node5 node 10.0.0.5:9100 up 1", "node5 node 10.0.0.5:9100 m 1"]);
  expect(notes).toEqual(["m Words."]);
  expect(targets.all()).toMatchObject([
    { job: "node", instance: "10.0.0.5:9100", machine: "node5", url, everyMs: 30_000, timeoutMs: 3_000, error: "" },
  ]);
  expect([...(targets.all()[0]?.metrics ?? [])]).toEqual(["m"]);
  await clock.turn(90_000);
  expect(door.asked).toHaveLength(4);
  news();
  await exporters.update(labOf({}));
  expect(news()).toEqual(["node5 node 10.0.0.5:9100 m ends", "node5 node 10.0.0.5:9100 up ends"]);
  expect(targets.all()).toEqual([]);
  expect(clock.waiting).toBe(0);
});

test("an edit that leaves what its series bear goes on with them, another one ends them", async () => {
  const { clock, door, exporters, news } = openScene();
  for (const path of ["metrics", "other"]) door.answer(`http://a:1/${path}`, "m 1\n");
  door.answer("http://b:1/metrics", "m 1\n");
  await exporters.update(labOf({ node: { url: "http://a:1/metrics" } }));
  await clock.turn(soonMs);
  news();
  await exporters.update(labOf({ node: { url: "http://a:1/other" } }));
  expect(news()).toEqual([]);
  await clock.turn(soonMs);
  expect(news()).toEqual(["node5 node a:1 up 1", "node5 node a:1 m 1"]);
  await exporters.update(labOf({ node: { url: "http://b:1/metrics" } }));
  expect(news()).toEqual(["node5 node a:1 m ends", "node5 node a:1 up ends"]);
  await clock.turn(soonMs);
  expect(news()).toEqual(["node5 node b:1 up 1", "node5 node b:1 m 1"]);
  await exporters.update(labOf({ node: { url: "http://b:1/metrics" } }));
  await clock.turn(10_000);
  expect(door.asked).toHaveLength(4);
});

test("one that fails is a problem of its machine, told once and taken back once", async () => {
  const { clock, door, targets, exporters, news, problems } = openScene();
  door.answer(url, "m 1\n");
  await exporters.update(labOf({ node: { url } }));
  await clock.turn(soonMs);
  door.answer(url, { failed: "status 500" });
  news();
  await clock.turn(10_000);
  expect(news()).toEqual(["node5 node 10.0.0.5:9100 up 0", "node5 node 10.0.0.5:9100 m ends"]);
  expect(targets.all()).toMatchObject([{ error: "status 500" }]);
  expect(problems).toEqual([]);
  await clock.turn(60_000);
  expect(problems).toEqual(["node5 exporter node: status 500"]);
  door.answer(url, "m 1\n");
  await clock.turn(20_000);
  expect(problems).toEqual(["node5 exporter node: status 500", "node5 exporter node: well"]);
});

test("one that goes on failing is told with each scrape: its machine may have been forgotten meanwhile", async () => {
  const { clock, exporters, said } = openScene();
  await exporters.update(labOf({ node: { url, every: "10s" } }));
  await clock.turn(soonMs);
  expect(said).toEqual(["node5 exporter node: connection refused"]);
  await clock.turn(20_000);
  expect(said).toHaveLength(3);
});

test("a wrong one is told at once, and forgotten with it", async () => {
  const { clock, exporters, problems, scene } = openScene();
  scene.isThere = false;
  await exporters.update(labOf({ node: { url } }));
  await clock.turn(soonMs);
  expect(problems).toEqual([]);
  scene.isThere = true;
  await clock.turn(10_000);
  expect(problems).toEqual(["node5 exporter node: connection refused"]);
  await exporters.update({});
  expect(problems.at(-1)).toBe("node5 exporter node: well");
});

test("what the store does not take is a problem, and its own trouble is none", async () => {
  const { clock, door, exporters, problems, scene } = openScene();
  door.answer(url, "m 1 5\nn 1\n");
  const refusal = { kind: "too old", row: 5, message: "m comes too late" } as const;
  scene.append = () => ({ ...taken, refused: 1, refusals: [refusal] });
  await exporters.update(labOf({ node: { url } }));
  await clock.turn(soonMs);
  expect(problems).toEqual(["node5 exporter node: 1 of its samples is not kept: m comes too late"]);
  scene.append = () => {
    throw new Fault("unreachable", "the disk is full");
  };
  await clock.turn(10_000);
  expect(problems.at(-1)).toBe("node5 exporter node: well");
  const before = door.asked.length;
  scene.append = () => ({ ...taken, refused: 1, refusals: [{ ...refusal, row: 6 }] });
  door.answer(url, "m 1\n");
  await clock.turn(10_000);
  expect(door.asked).toHaveLength(before + 1);
  expect(problems).toHaveLength(2);
});

test("the rest is kept where a part is wrong", async () => {
  const { clock, door, exporters, news, problems } = openScene();
  door.answer(url, "m 1\nm 2\n");
  await exporters.update(labOf({ node: { url } }));
  await clock.turn(soonMs);
  expect(news()).toEqual(["node5 node 10.0.0.5:9100 up 1", "node5 node 10.0.0.5:9100 m 1"]);
  expect(problems).toEqual([expect.stringContaining("is told twice")]);
});

test("what it is shown comes from a secret, and is told to nobody else", async () => {
  const { clock, door, targets, exporters, news, problems } = openScene({ A: "geheim", B: "zwei\nteil" });
  const user = { url: "http://a:1/", auth: { user: "ada", password: { secret: "A" } } };
  const token = { url: "http://b:1/", auth: { token: { secret: "A" } } };
  door.answer(user.url, () => `${door.asked.at(-1)?.authorization}\n`);
  door.answer(token.url, () => `m 1 ${door.asked.at(-1)?.authorization?.slice(7)}\n`);
  await exporters.update(
    labOf({
      ...{ user, token, odd: { url: "http://c:1/", auth: { token: { secret: "B" } } } },
      none: { url: "http://d:1/", auth: { token: { secret: "C" } } },
    }),
  );
  await clock.turn(soonMs);
  expect(Object.fromEntries(door.asked.map((one) => [one.url, one.authorization]))).toEqual({
    [user.url]: `Basic ${btoa("ada:geheim")}`,
    [token.url]: "Bearer geheim",
  });
  expect(problems.sort()).toEqual([
    expect.stringMatching(/^node5 exporter none: secret C has no value\. Set it\.$/),
    expect.stringMatching(/^node5 exporter odd: its token has letters that no header may have/),
    expect.stringMatching(/^node5 exporter token: line 1 .*…/),
    expect.stringMatching(/^node5 exporter user: line 1 .*…/),
  ]);
  const told = JSON.stringify([targets.all(), problems, news()]);
  for (const secret of ["geheim", btoa("ada:geheim"), "zwei"]) expect(told).not.toContain(secret);
});

test("one that hangs keeps no other waiting, and ends with the hub, whose series stay", async () => {
  const { clock, door, exporters, news } = openScene();
  door.answer("http://a:1/", "hang");
  door.answer("http://b:1/", "m 1\n");
  await exporters.update(labOf({ slow: { url: "http://a:1/" }, well: { url: "http://b:1/" } }));
  await clock.turn(30_000);
  expect(door.asked.filter((one) => one.url === "http://a:1/")).toHaveLength(1);
  expect(door.asked.length).toBeGreaterThan(3);
  news();
  await exporters.close();
  expect(news()).toEqual([]);
  expect(clock.waiting).toBe(0);
  await exporters.update(labOf({}));
  expect(news()).toEqual([]);
});
