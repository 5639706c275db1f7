import { z } from "zod";
import { Fault, type FaultCode } from "#base/fault.ts";

/**
 * The HTTP API of Prometheus as its clients read it: Grafana, promtool, those who send samples. Every value is a text
 * ("NaN", "+Inf"), every time a number of seconds. Source: Prometheus' docs, querying/api.
 */

const sampleShape = z.tuple([z.number(), z.string()]);
const labelSetShape = z.record(z.string(), z.string());

/** Of a query: as many kinds of result as PromQL has. */
const resultShape = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: labelSetShape, value: sampleShape })),
  }),
  z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ metric: labelSetShape, values: z.array(sampleShape) })),
  }),
  z.object({ resultType: z.literal("scalar"), result: sampleShape }),
  z.object({ resultType: z.literal("string"), result: sampleShape }),
]);

export type WireMetric = z.infer<typeof labelSetShape>;
export type WireSample = z.infer<typeof sampleShape>;
export type QueryData = z.infer<typeof resultShape>;

/** An answer in Prometheus' envelope. */
export const answerOf = <const T extends z.ZodType>(data: T) =>
  z.object({
    status: z.literal("success"),
    data,
    /** The result may not be what was meant. */
    warnings: z.array(z.string()).optional(),
    infos: z.array(z.string()).optional(),
  });

export const queryAnswerShape = answerOf(resultShape);
export const namesAnswerShape = answerOf(z.array(z.string()));
export const seriesAnswerShape = answerOf(z.array(labelSetShape));
export const metadataAnswerShape = answerOf(
  z.record(z.string(), z.array(z.object({ type: z.string(), help: z.string(), unit: z.string() }))),
);
export const buildAnswerShape = answerOf(z.record(z.string(), z.string()));
export const formatAnswerShape = answerOf(z.string());

const wholeShape = z.number().int().min(0);

/** What became of a part of a text that is imported. */
export const importedShape = z.object({
  added: wholeShape,
  /** Was there already. */
  same: wholeShape,
  refused: wholeShape,
  /** Why, of the first ones; each begins with its line. */
  reasons: z.array(z.string()),
});

export type Imported = z.infer<typeof importedShape>;

/** What the store of samples holds. */
export const storeStatsShape = z.object({
  /** With samples in memory. */
  activeSeries: wholeShape,
  headSamples: wholeShape,
  walBytes: wholeShape,
  blockBytes: wholeShape,
  blockSamples: wholeShape,
  blocks: z.array(z.object({ startMs: z.number(), endMs: z.number(), sizeBytes: wholeShape, samples: wholeShape })),
  /** Summaries of old samples, the finest first. */
  tiers: z.array(z.object({ stepMs: wholeShape, files: wholeShape, sizeBytes: wholeShape, summaries: wholeShape })),
  /** The metrics that cost most, by the newest blocks, of which so many bytes were looked at. */
  metrics: z.array(z.object({ name: z.string(), series: wholeShape, samples: wholeShape, sizeBytes: wholeShape })),
  metricsOfBytes: wholeShape,
  /** What keeps the store from writing now, in words. */
  trouble: z.string().optional(),
  damage: z.array(z.object({ file: z.string(), what: z.string() })),
});

export type StoreStats = z.infer<typeof storeStatsShape>;

/** Seconds since the epoch, or RFC 3339. */
const moment = z.string().max(64).optional();
/** Seconds, or a duration such as `1m30s`. */
const length = z.string().max(64);
const text = z.string().max(100_000);
/** So many at most; none when it is 0. */
const limit = z.coerce.number().int().min(0).optional();

/** One or many of the same name. */
export const selectors = z.union([text, z.array(text).max(100)], {
  error: "no match[] parameter provided, or more than 100",
});

const span = { start: moment, end: moment, limit };

/** `line`: which line of the whole the first one is. */
export const importInput = z.object({ line: z.coerce.number().int().min(1).default(1) });

export const queryInput = z.object({ query: text, time: moment, timeout: length.optional(), limit });
export const queryRangeInput = z.object({
  query: text,
  start: z.string().max(64),
  end: z.string().max(64),
  step: length,
  timeout: length.optional(),
  limit,
});
export const seriesInput = z.object({ "match[]": selectors, ...span });
export const deleteInput = z.object({ "match[]": selectors, start: moment, end: moment });
export const labelsInput = z.object({ "match[]": selectors.optional(), ...span });
export const labelValuesInput = z.object({ name: z.string().min(1), "match[]": selectors.optional(), ...span });
export const metadataInput = z.object({ metric: text.optional(), limit });
export const formatInput = z.object({ query: text });

const kinds = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  unavailable: 503,
  not_found: 404,
  internal: 500,
} as const;

type ErrorKind = keyof typeof kinds;

const kindOf: Readonly<Record<FaultCode, ErrorKind>> = {
  invalid: "bad_data",
  missing: "not_found",
  conflict: "execution",
  unauthenticated: "bad_data",
  denied: "bad_data",
  limited: "execution",
  unreachable: "unavailable",
  timeout: "timeout",
  unsupported: "bad_data",
  internal: "internal",
};

/** A fault in Prometheus' envelope, with its status there. */
export function errorOfFault(fault: Fault): { readonly status: number; readonly body: string } {
  const { execution, status, issues } = (fault.details ?? {}) as {
    readonly execution?: unknown;
    readonly status?: unknown;
    readonly issues?: readonly { readonly path: readonly string[]; readonly message: string }[];
  };
  const errorType = execution === true ? "execution" : kindOf[fault.code];
  const [issue] = issues ?? [];
  const parameter = issue?.path[0];
  const said = issue && parameter ? `invalid parameter "${parameter}": ${issue.message}` : fault.message;
  const error = fault.hint === undefined ? said : `${said}. ${fault.hint}`;
  return {
    status: typeof status === "number" ? status : kinds[errorType],
    body: JSON.stringify({ status: "error", errorType, error }),
  };
}

/** What fails while a query is evaluated; its text was good, so it is no `bad_data`. */
export function executionFault(fault: Fault): Fault {
  if (fault.code !== "invalid") return fault;
  return new Fault(fault.code, fault.message, { hint: fault.hint, cause: fault, details: { execution: true } });
}
