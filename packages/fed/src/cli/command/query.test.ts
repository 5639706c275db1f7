import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { type Asked, gives, type Reply } from "../hub.scene.ts";

const startSeconds = Date.parse("2026-11-21T07:00:00Z") / 1000;

function answer(resultType: string, result: unknown, more: object = {}): Reply {
  return gives({ status: "success", data: { resultType, result }, ...more });
}

const up = (job: string, value: string) => ({ metric: { __name__: "up", job }, value: [startSeconds, value] });
const line = (job: string, values: readonly string[]) => ({
  metric: { __name__: "up", job },
  values: values.map((value, i) => [startSeconds + 60 * i, value]),
});

const desk = (instant: Reply, range: Reply = instant) =>
  makeDesk({ "/api/v1/query": () => instant, "/api/v1/query_range": () => range });

function bodies(asked: readonly Asked[]): readonly unknown[] {
  return asked.map(({ body }) => body);
}

test("a moment: an aligned table of labels and values, in the order of the answer", async () => {
  const { fed, hub } = await desk(answer("vector", [up("node", "1"), up("a", "0.25")], { warnings: ["careful"] }));
  const { code, out, err } = await fed("query", "up", "--at", "2026-11-21T07:00:00Z");
  expect(code).toBe(0);
  expect(out).toBe("METRIC  JOB   VALUE\nup      node      1\nup      a      0.25\n");
  expect(err).toBe("warning careful\n");
  expect(bodies(hub.asked)).toEqual([{ query: "up", time: String(startSeconds) }]);
});

test("a range: a line over time for each series, with gaps, and the span below", async () => {
  const values = ["0", "1", "2", "3", "NaN", "7"];
  const { fed, hub } = await desk(answer("vector", []), answer("matrix", [line("node", values), line("b", ["+Inf"])]));
  const words = ["--range", "5m", "--step", "1m", "--at", "2026-11-21T07:05:00Z"];
  const { out } = await fed("query", "up", ...words);
  expect(bodies(hub.asked)).toEqual([
    { query: "up", start: String(startSeconds), end: String(startSeconds + 300), step: "60" },
  ]);
  const [heading, first, second, span] = out.split("\n");
  expect(heading).toMatch(/^SERIES +OVER TIME +MIN +MAX +LAST$/);
  expect(first).toMatch(/^up\{job="node"\} {2}▁ +▂ +▃ +▄ +█ +0 +7 +7$/);
  expect(second).toMatch(/^up\{job="b"\} +Inf +Inf +Inf$/);
  expect(span).toContain("a value every 1m");
  const widths = [heading, first, second].map((text = "") => text.length);
  expect(new Set(widths).size).toBe(1);
  expect(Math.max(...widths)).toBeLessThanOrEqual(80);
});

test("a range without a step has about sixty values", async () => {
  const { fed, hub } = await desk(answer("matrix", []));
  const { code, out, err } = await fed("query", "up", "--range", "1h30m");
  expect({ code, out, err }).toEqual({ code: 0, out: "", err: "no series has a value then\n" });
  expect(bodies(hub.asked)[0]).toMatchObject({ step: "90" });
});

test("where nothing is found, a metric that nobody knows is told, with the one that is meant", async () => {
  const nothing = answer("vector", []);
  const names = gives({ status: "success", data: ["up", "node_load1"] });
  const { fed } = await makeDesk({ "/api/v1/query": () => nothing, "/api/v1/label/__name__/values": () => names });
  const hintsOf = async (query: string) => (await fed("query", query)).err.split("\n").slice(1, -1);
  expect(await hintsOf("sum(node_laod1) + upp + up")).toEqual([
    "hint no metric is called node_laod1; did you mean node_load1?",
    "hint no metric is called upp; did you mean up?",
  ]);
  expect(await hintsOf("rate(quite_another_total[5m])")).toEqual(["hint no metric is called quite_another_total"]);
  expect(await hintsOf('up{job="gone"} or {job="gone"}')).toEqual([]);
});

test("names are whole in a pipe", async () => {
  const long = {
    __name__: "a_rather_long_name_of_a_metric_in_bytes",
    instance: "machine.of.somebody.example.org:9100",
  };
  const series = [long, { ...long, job: "b" }].map((metric) => ({ metric, values: [[startSeconds, "1"]] }));
  const { fed } = await desk(answer("matrix", series));
  const { out } = await fed("query", "up", "--range", "5m");
  expect(out).toContain(`${long.__name__}{instance="${long.instance}", job="b"}  `);
});

test("scalars and strings are a line; values of a range selector stand at their own times", async () => {
  expect((await (await desk(answer("scalar", [0, "NaN"]))).fed("query", "1 / 0 - 1 / 0")).out).toBe("NaN\n");
  expect((await (await desk(answer("string", [0, "a"]))).fed("query", '"a"')).out).toBe("a\n");
  const { out } = await (await desk(answer("matrix", [line("node", ["1", "2"])]))).fed("query", "up[5m]");
  expect(out).toMatch(/▁ +█ +1 +2 +2\n/);
});

test("--json is the hub's answer, --csv a line for each sample", async () => {
  const odd = { metric: { letters: 'a"b', name: "a,b" }, value: [startSeconds, "+Inf"] };
  const { fed } = await desk(answer("vector", [up("node", "1"), odd], { infos: ["so"] }));
  const whole = { status: "success", data: { resultType: "vector", result: [up("node", "1"), odd] }, infos: ["so"] };
  expect(JSON.parse((await fed("query", "up", "--json")).out)).toEqual(whole);
  expect((await fed("query", "up", "--csv")).out).toBe(
    'time,__name__,job,letters,name,value\n2026-11-21T07:00:00.000Z,up,node,,,1\n2026-11-21T07:00:00.000Z,,,"a""b","a,b",+Inf\n',
  );
  expect(await fed("query", "up", "--json", "--csv")).toMatchObject({ code: 2 });
});

test("a wrong query is shown with carets, and no hub is asked", async () => {
  const { fed, hub } = await desk(answer("vector", []));
  const { code, err } = await fed("query", "sum(up{job=})");
  expect(code).toBe(2);
  expect(err.split("\n").slice(0, 3)).toEqual([
    expect.stringMatching(/^fed: 1:12: /),
    "  sum(up{job=})",
    "             ^",
  ]);
  expect(hub.asked).toEqual([]);
});

test("what fails at the hub is told in its words", async () => {
  const refuses =
    (status: number, errorType: string): Reply =>
    (response) =>
      void response
        .writeHead(status, { "content-type": "application/json" })
        .end(JSON.stringify({ status: "error", errorType, error: "too many samples" }));
  const asked = async (status: number, type: string) => (await desk(refuses(status, type))).fed("query", "up");
  expect(await asked(422, "execution")).toEqual({ code: 2, out: "", err: "fed: too many samples\n" });
  expect(await asked(503, "timeout")).toMatchObject({ code: 8 });
  expect(await asked(503, "unavailable")).toMatchObject({ code: 7 });
});

test.each([
  [["--step", "5s"], "--range"],
  [["--range", "soon"], "15s, 5m, 1h"],
  [["--range", "0s"], "more than nothing"],
  [["--range", "1m1h"], "the greatest first"],
  [["--at", "7"], "is no time"],
])("%j is refused", async (words, told) => {
  const { fed } = await desk(answer("vector", []));
  expect(await fed("query", "up", ...words)).toMatchObject({ code: 2, err: expect.stringContaining(told) });
});
