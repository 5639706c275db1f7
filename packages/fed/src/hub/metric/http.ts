import type { Clock } from "#base/clock.ts";
import { pretty } from "#engine/promql/print.ts";
import type { HandlersOf } from "#wire/handler.ts";
import { storeStatsShape } from "#wire/metric.ts";
import { writeAnswer } from "./answer.ts";
import { parseQuery, readLength, readMoment, readRange, readSelectors, readSpan, unescapeName } from "./metric.ts";
import type { Metrics } from "./verbs.ts";
import { writeHandlers } from "./write.ts";

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
      | "importSamples"
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
  const query: Door["query"] = ({ query: text, time, timeout = usualTimeout, limit = 0 }, { signal }) => {
    const atMs = time === undefined ? clock.nowMs() : readMoment("time", time);
    const range = { startMs: atMs, endMs: atMs, stepMs: 0 };
    return metrics.ask({ kind: "query", text, range, timeoutMs: readLength("timeout", timeout), limit }, signal);
  };
  const queryRange: Door["queryRange"] = (input, { signal }) => {
    const range = readRange(input.start, input.end, input.step);
    const timeoutMs = readLength("timeout", input.timeout ?? usualTimeout);
    return metrics.ask({ kind: "query", text: input.query, range, timeoutMs, limit: input.limit ?? 0 }, signal);
  };
  const series: Door["series"] = ({ "match[]": given, start, end, limit = 0 }, { signal }) => {
    const among = { selectors: readSelectors(given), span: readSpan(start, end, clock.nowMs()) };
    return metrics.ask({ kind: "series", ...among, limit }, signal);
  };
  const labels: Door["labels"] = ({ "match[]": given, start, end, limit = 0 }, { signal }) => {
    const among = { selectors: readSelectors(given), span: readSpan(start, end, clock.nowMs()) };
    return metrics.ask({ kind: "labelNames", ...among, limit }, signal);
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
    labelValues({ name, "match[]": given, start, end, limit = 0 }, { signal }) {
      const among = { selectors: readSelectors(given), span: readSpan(start, end, clock.nowMs()) };
      return metrics.ask({ kind: "labelValues", name: unescapeName(name), ...among, limit }, signal);
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
    ...writeHandlers(needs),
  };
}
