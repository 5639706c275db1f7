import { compress } from "snappyjs";
import { expect, test } from "vitest";
import { writeWriteRequest } from "../../packages/fed/src/engine/exposition/remote-write.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import { dataOf, makeHome } from "./person.ts";
import { until, up } from "./stage.ts";

/** The hub as a Prometheus, by the real program and the requests that Grafana and a Prometheus send. */

interface Envelope {
  readonly status: string;
  readonly data: { readonly resultType: string; readonly result: readonly Found[] };
  readonly errorType?: string;
  readonly error?: string;
}

interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

async function openAsTokens() {
  const { stage, hub, owner } = await makeHome();
  const token = async (name: string, role: string) => {
    const made = await owner.fed("token", "create", name, "--role", role, "--json");
    return dataOf<{ secret: string }>(made).secret;
  };
  const [viewer, operator] = [await token("grafana", "viewer"), await token("prometheus", "operator")];
  let running = hub;
  const ask = (path: string, init: RequestInit = {}, secret = viewer) =>
    fetch(`${running.url}/api/v1/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${secret}`, ...(init.headers as Record<string, string> | undefined) },
    });
  const query = async (text: string) => {
    const answer = await ask(`query?${new URLSearchParams({ query: text })}`);
    return (await answer.json()) as Envelope;
  };
  /** Kills the hub with -9 and starts it again. */
  const restart = async () => {
    running.child.kill("SIGKILL");
    await running.ending;
    running = await up(stage);
  };
  return { url: hub.url, ask, query, operator, restart };
}

test("the hub's own metrics are there within some seconds, for a viewer's token as Grafana sends it", async () => {
  const { url, ask, query } = await openAsTokens();
  expect(await query("1+1")).toMatchObject({ status: "success", data: { resultType: "scalar" } });
  expect((await (await ask("status/buildinfo")).json()) as object).toMatchObject({ data: { version: "3.5.0" } });
  const found = await until("up of the hub", async () => {
    const { data } = await query('up{job="fed"}');
    return data.result[0];
  });
  const labels = { __name__: "up", job: "fed", instance: new URL(url).host };
  expect(found).toEqual({ metric: labels, value: [expect.any(Number), "1"] });

  const now = Math.floor(Date.now() / 1_000);
  const range = { query: "process_resident_memory_bytes", start: String(now - 60), end: String(now + 1), step: "1" };
  const form = { method: "POST", body: new URLSearchParams(range) };
  const { data } = (await (await ask("query_range", form)).json()) as Envelope;
  expect(data.resultType).toBe("matrix");
  const [, bytes] = data.result[0]?.values?.at(-1) ?? [];
  expect(Number(bytes)).toBeGreaterThan(10_000_000);

  const match = new URLSearchParams({ "match[]": 'up{job="fed",machine=""}' });
  expect(await (await ask(`series?${match}`)).json()).toEqual({ status: "success", data: [labels] });
  expect(await (await ask("labels", { method: "POST", body: match })).json()).toEqual({
    ...{ status: "success", data: ["__name__", "instance", "job"] },
  });
  expect(await (await ask("label/job/values")).json()).toEqual({ status: "success", data: ["fed"] });
  expect(await (await ask("metadata?metric=fed_events_total")).json()).toMatchObject({
    data: { fed_events_total: [{ type: "counter" }] },
  });

  const wrong = await ask("query?query=up{");
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { status: "error", errorType: "bad_data" }]);
});

test("what another Prometheus writes comes back, also after kill -9, and is not taken from who may only look", async () => {
  const { ask, query, operator, restart } = await openAsTokens();
  const labels = labelsOf({ __name__: "temperature_celsius", room: "cellar" });
  const samples = { labels, times: Float64Array.of(Date.now()), values: Float64Array.of(21.5) };
  const send = (secret?: string) => {
    const body = Buffer.from(compress(writeWriteRequest([samples])));
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };
    return ask("write", { method: "POST", body, headers }, secret);
  };
  expect((await send()).status).toBe(403);
  const taken = await send(operator);
  expect([taken.status, await taken.text()]).toEqual([204, ""]);
  const expectKept = async () => {
    const { data } = await query("temperature_celsius");
    expect(data.result).toMatchObject([{ metric: { room: "cellar" }, value: [expect.any(Number), "21.5"] }]);
  };
  await expectKept();
  await restart();
  await expectKept();
});
