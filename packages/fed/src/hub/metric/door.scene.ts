import { onTestFinished } from "vitest";
import { systemClock } from "#base/clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { api } from "#wire/api.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import type { AnyHandler } from "../serve/route.ts";
import { openScene } from "../serve/serve.scene.ts";
import { metricHandlers } from "./http.ts";
import { prometheusHandlers } from "./prometheus.ts";
import { openMetrics } from "./verbs.ts";

/** The doors of the metrics alone, on a store of their own, until the test is over. */
export async function openDoor(folder = tempFolder()) {
  const metrics = openMetrics({ folder, clock: systemClock });
  onTestFinished(() => metrics.close());
  const needs = { metrics, clock: systemClock, version: "0.1.0" };
  const handlers = { ...metricHandlers(needs), ...prometheusHandlers(needs) } as unknown as Readonly<
    Record<string, AnyHandler>
  >;
  const table = Object.fromEntries(
    Object.keys(handlers).map((name) => [name, (api as Readonly<Record<string, Endpoint>>)[name] as Endpoint]),
  );
  const hub = await openScene({ table, handlers });
  const fetchRaw = (path: string, init: RequestInit = {}, bearer = "operator") => {
    const headers = { authorization: `Bearer ${bearer}`, ...(init.headers as Record<string, string> | undefined) };
    return hub.get(path, { ...init, headers });
  };
  const ask = async (path: string, init: RequestInit = {}, bearer = "operator") => {
    const response = await fetchRaw(`/api/v1/${path}`, init, bearer);
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const importText = (body: string, type = "text/plain") =>
    ask("import/text", { method: "POST", body, headers: { "content-type": type } });
  return { metrics, hub, ask, fetchRaw, importText };
}

/** The fields as a form. */
export const form = (fields: Readonly<Record<string, string>>): RequestInit => ({
  ...{ method: "POST", body: new URLSearchParams(fields) },
});
