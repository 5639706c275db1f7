import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { ExpositionFormat } from "#engine/exposition/text.ts";
import { pretty } from "#engine/promql/print.ts";
import { labelsToRecord } from "#engine/series/labels.ts";
import type { CallContext, HandlersOf, SentBytes } from "#wire/handler.ts";
import { storeStatsShape } from "#wire/metric.ts";
import { writeAnswer, writeResult } from "./answer.ts";
import { readLength, readMoment, readRange, readSelectors, readSpan, unescapeName } from "./metric.ts";
import { makeTaker, type Taken } from "./take.ts";
import { type Metrics, parseQuery } from "./verbs.ts";

type Door = HandlersOf<
  | (
      | "query"
      | "queryByForm"
      | "queryRange"
      | "queryRangeByForm"
      | "series"
      | "seriesByForm"
      | "labels"
      | "labelsByForm"
    )
  | (
      | "labelValues"
      | "metadata"
      | "formatQuery"
      | "formatQueryByForm"
      | "buildInfo"
      | "remoteWrite"
      | "importText"
      | "metricStore"
    )
>;

interface Needs {
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Of fed. */
  readonly version: string;
}

const usualTimeout = "120s";

/** Whose API this is: clients ask for it to learn what they may use. */
const prometheusVersion = "3.5.0";

export function metricHandlers(needs: Needs): Door {
  const { metrics, clock } = needs;
  const query: Door["query"] = async ({ query: text, time, timeout = usualTimeout, limit }, { signal }) => {
    const atMs = time === undefined ? clock.nowMs() : readMoment("time", time);
    const moment = { startMs: atMs, endMs: atMs, stepMs: 0 };
    return writeResult(await metrics.query(text, moment, readLength("timeout", timeout), signal), limit);
  };
  const queryRange: Door["queryRange"] = async (input, { signal }) => {
    const range = readRange(input.start, input.end, input.step);
    const timeoutMs = readLength("timeout", input.timeout ?? usualTimeout);
    return writeResult(await metrics.query(input.query, range, timeoutMs, signal), input.limit);
  };
  const series: Door["series"] = async ({ "match[]": given, start, end, limit }, { signal }) => {
    const found = await metrics.series(readSelectors(given), readSpan(start, end, clock.nowMs()), signal);
    return writeCut(found, limit, (labels) => labelsToRecord(labels));
  };
  const labels: Door["labels"] = async ({ "match[]": given, start, end, limit }, { signal }) => {
    const found = await metrics.labelNames(readSelectors(given), readSpan(start, end, clock.nowMs()), signal);
    return writeCut(found, limit, (name) => name);
  };
  const formatQuery: Door["formatQuery"] = async ({ query: text }) => writeAnswer(pretty(parseQuery(text)));
  return {
    query,
    queryByForm: query,
    queryRange,
    queryRangeByForm: queryRange,
    series,
    seriesByForm: series,
    labels,
    labelsByForm: labels,
    async labelValues({ name, "match[]": given, start, end, limit }, { signal }) {
      const span = readSpan(start, end, clock.nowMs());
      const found = await metrics.labelValues(unescapeName(name), readSelectors(given), span, signal);
      return writeCut(found, limit, (value) => value);
    },
    async metadata({ metric, limit = 0 }) {
      const all = [...(await metrics.described())].filter(([name]) => metric === undefined || name === metric);
      return writeAnswer(
        Object.fromEntries(all.slice(0, limit > 0 ? limit : all.length).map(([name, one]) => [name, [one]])),
      );
    },
    formatQuery,
    formatQueryByForm: formatQuery,
    // Without `features`: Grafana would look for the rules of Mimir.
    buildInfo: async () =>
      writeAnswer({
        ...{ version: prometheusVersion, revision: `fed-${needs.version}` },
        ...{ branch: "", buildUser: "", buildDate: "", goVersion: "" },
      }),
    metricStore: async () => storeStatsShape.parse(await metrics.stats()),
    ...takingHandlers(needs),
  };
}

function writeCut<T>(found: readonly T[], limit = 0, write: (one: T) => unknown): string {
  const cut = limit > 0 && limit < found.length;
  const kept = cut ? found.slice(0, limit) : found;
  return writeAnswer(kept.map(write), cut ? ["results truncated due to limit"] : []);
}

function takingHandlers({ metrics, clock }: Needs): Pick<Door, "remoteWrite" | "importText"> {
  const writes = makeTaker({ note: (note) => metrics.note(note) });
  const texts = makeTaker({ note: (note) => metrics.note(note) });
  return {
    async remoteWrite(_input, context) {
      const sent = requireSent(context, "snappy");
      const { type } = sent;
      if (type !== "application/x-protobuf" && type !== "") {
        throw new Fault("invalid", `a body of the type ${type} is no remote write`, {
          hint: "Send application/x-protobuf, prometheus.WriteRequest 1.0.",
        });
      }
      return keep(metrics, writes.write(sent.bytes), context);
    },
    async importText(_input, context) {
      const { bytes, type } = requireSent(context, "identity");
      const format: ExpositionFormat = type === "application/openmetrics-text" ? "openmetrics" : "text";
      return keep(metrics, texts.text(readUtf8(bytes), format, clock.nowMs()), context);
    },
  };
}

function requireSent({ sent }: CallContext, encoding: string): SentBytes {
  if (sent === undefined) throw new TypeError("the endpoint takes no bytes");
  if (sent.encoding === "" || sent.encoding === encoding) return sent;
  throw new Fault("invalid", `a body of the encoding ${sent.encoding} cannot be read`, {
    hint: `Send it as ${encoding}.`,
  });
}

function readUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Fault("invalid", "the body is no UTF-8 text", { cause });
  }
}

/** Keeps what it can, and says no when it was not all: who sends must not believe that it is here. */
async function keep(metrics: Metrics, { mistakes, ...batch }: Taken, { actor }: CallContext): Promise<string> {
  const { refused, refusals } = await metrics.append(batch, actor);
  const words = [...mistakes.words, ...refusals.map(({ message }) => message)];
  const [first] = words;
  if (first === undefined) return "";
  const many = refused + mistakes.count;
  throw new Fault("invalid", `${many} of what came ${many === 1 ? "is" : "are"} not kept, the rest is: ${first}`, {
    details: { refused, words },
  });
}
