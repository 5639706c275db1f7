import { z } from "zod";
import { endpoint } from "#wire/endpoint.ts";

/** What `fed query` asks and reads of the hub's Prometheus API; what it does not show passes through as it is. */

const sampleShape = z.tuple([z.number(), z.string()]);
const metricShape = z.record(z.string(), z.string());

const dataShape = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: metricShape, value: sampleShape })),
  }),
  z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ metric: metricShape, values: z.array(sampleShape) })),
  }),
  z.object({ resultType: z.literal("scalar"), result: sampleShape }),
  z.object({ resultType: z.literal("string"), result: sampleShape }),
]);

const answerShape = z.object({
  status: z.literal("success"),
  data: dataShape,
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
});

/** Seconds since the epoch, and the value as Prometheus writes it: `NaN`, `+Inf`. */
export type WireSample = z.infer<typeof sampleShape>;
export type WireMetric = z.infer<typeof metricShape>;
export type QueryData = z.infer<typeof dataShape>;

const common = { role: "viewer", answer: "one", output: answerShape } as const;

/** POST, for a query may be longer than an address. */
export const queryAtMoment = endpoint({
  ...common,
  method: "POST",
  path: "/api/v1/query",
  summary: "PromQL at one moment.",
  input: z.object({ query: z.string(), time: z.string() }),
});

export const queryOverRange = endpoint({
  ...common,
  method: "POST",
  path: "/api/v1/query_range",
  summary: "PromQL over a span of time, step by step.",
  input: z.object({ query: z.string(), start: z.string(), end: z.string(), step: z.string() }),
});
