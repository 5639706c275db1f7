import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives, type Reply } from "../hub.scene.ts";

const done: Reply = (response) => void response.writeHead(204).end();
const deletion = "/api/v1/admin/tsdb/delete_series";

const desk = (...series: readonly Readonly<Record<string, string>>[]) =>
  makeDesk({ "/api/v1/series": () => gives({ status: "success", data: series }), [deletion]: () => done });

const told = ({ hub }: Awaited<ReturnType<typeof desk>>) =>
  hub.asked.filter(({ path }) => path === deletion).map(({ body }) => body);

test("what is named goes, in the span, when it is sure", async () => {
  const opened = await desk({ __name__: "up", job: "old" }, { __name__: "up", job: "b" });
  const span = ["--from", "2026-11-20T00:00Z", "--to", "2026-11-21T00:00Z"];
  const { code, out } = await opened.fed("metrics", "delete", "up", "--yes", ...span);
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(/^the samples of 2 series are gone from 2026-/),
  });
  expect(told(opened)).toEqual([{ "match[]": "up", start: "1795132800", end: "1795219200" }]);
  const data = await opened.fed("metrics", "delete", "up", "--yes", "--json");
  expect(JSON.parse(data.out)).toEqual({ series: 2, selector: "up" });
});

test("nobody to ask, nothing that matches, no selector, a span the wrong way round: nothing goes", async () => {
  const opened = await desk({ __name__: "up" });
  const remove = (...words: readonly string[]) => opened.fed("metrics", "delete", ...words);
  expect(await remove("up")).toMatchObject({ code: 2, err: expect.stringContaining("say --yes") });
  expect(await remove("rate(up[5m])", "-y")).toMatchObject({ code: 2, err: expect.stringContaining("no selector") });
  expect(await remove("up{", "-y")).toMatchObject({ code: 2 });
  expect(await remove("up", "-y", "--from", "1h", "--to", "2h")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--to is before --from"),
  });
  expect(told(opened)).toEqual([]);
  const empty = await desk();
  expect(await empty.fed("metrics", "delete", "up", "-y")).toMatchObject({
    code: 4,
    err: expect.stringContaining("no series matches up"),
  });
  expect(told(empty)).toEqual([]);
});
