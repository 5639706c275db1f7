import type { Completion } from "@fed/fed/engine/promql/complete.ts";
import { api } from "@fed/fed/wire/api.ts";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { client } from "../hub.ts";
import type { KnownNames } from "./metrics-propose.ts";

/** Names of metrics, labels and values as the hub knows them: kept for a while, broken off when typing goes on. */

const freshMs = 60_000;
const most = 5_000;

export const metricNamesQuery = queryOptions({
  queryKey: ["metric", "names"],
  staleTime: freshMs,
  queryFn: async ({ signal }) => (await client.call(api.labelValues, { name: "__name__", limit: most }, signal)).data,
});

const aboutQuery = queryOptions({
  queryKey: ["metric", "about"],
  staleTime: freshMs,
  async queryFn({ signal }) {
    const { data } = await client.call(api.metadata, {}, signal);
    return Object.fromEntries(Object.entries(data).map(([name, [one]]) => [name, one?.help ?? ""]));
  },
});

const matching = (selector: string | undefined) => (selector === undefined ? {} : { "match[]": selector });

const labelsQuery = (selector: string | undefined) =>
  queryOptions({
    queryKey: ["metric", "labels", selector],
    staleTime: freshMs,
    queryFn: async ({ signal }) => (await client.call(api.labels, { ...matching(selector), limit: most }, signal)).data,
  });

const valuesQuery = (label: string, selector: string | undefined) =>
  queryOptions({
    queryKey: ["metric", "values", label, selector],
    staleTime: freshMs,
    queryFn: async ({ signal }) =>
      (await client.call(api.labelValues, { name: label, ...matching(selector), limit: most }, signal)).data,
  });

/** What is known for the proposals that are wanted; nothing is asked for before somebody wants it. */
export function useKnownNames(completion: Completion | undefined): KnownNames & { readonly busy: boolean } {
  const wants = completion?.wants ?? [];
  const label = wants.find(({ kind }) => kind === "label");
  const value = wants.find(({ kind }) => kind === "value");
  const wantsMetrics = wants.some(({ kind }) => kind === "metric");
  const metrics = useQuery({ ...metricNamesQuery, enabled: wantsMetrics });
  const about = useQuery({ ...aboutQuery, enabled: wantsMetrics });
  const labels = useQuery({
    ...labelsQuery(label?.kind === "label" ? label.selector : undefined),
    enabled: label !== undefined,
  });
  const values = useQuery({
    ...valuesQuery(value?.kind === "value" ? value.label : "", value?.kind === "value" ? value.selector : undefined),
    enabled: value !== undefined,
  });
  return {
    metrics: metrics.data ?? [],
    labels: labels.data ?? [],
    values: values.data ?? [],
    about: about.data ?? {},
    busy: [metrics, labels, values].some(({ isFetching }) => isFetching),
  };
}
