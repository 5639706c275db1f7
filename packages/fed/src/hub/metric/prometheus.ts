import type { Clock } from "#base/clock.ts";
import { writeText } from "#engine/exposition/write-text.ts";
import type { HandlersOf } from "#wire/handler.ts";
import type { prometheusApi } from "#wire/prometheus.ts";
import { writeAnswer } from "./answer.ts";
import { bad, parseQuery, readMoment, readSelectors } from "./metric.ts";
import { configOf, flags, runtimeOf, targetNotesOf, targetsOf, wireCardinality } from "./status.ts";
import { treeOf } from "./tree.ts";
import type { Metrics } from "./verbs.ts";

type Door = HandlersOf<Exclude<keyof typeof prometheusApi, "healthy" | "readyAsPrometheus">>;

/** The door of what Prometheus' clients ask for besides queries. */
export function prometheusHandlers({ metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock }): Door {
  const tree: Door["parseQuery"] = async ({ query }) => writeAnswer(treeOf(parseQuery(query)));
  const exemplars: Door["queryExemplars"] = async ({ query, start, end }) => {
    parseQuery(query);
    const [startMs, endMs] = [start, end].map((text, i) => (text ? readMoment(i === 0 ? "start" : "end", text) : 0));
    if (end && (endMs as number) < (startMs as number)) throw bad("end", "end timestamp must not be before start time");
    return writeAnswer([]);
  };
  return {
    parseQuery: tree,
    parseQueryByForm: tree,
    queryExemplars: exemplars,
    queryExemplarsByForm: exemplars,
    rules: async () => writeAnswer({ groups: [] }),
    alerts: async () => writeAnswer({ alerts: [] }),
    alertmanagers: async () => writeAnswer({ activeAlertmanagers: [], droppedAlertmanagers: [] }),
    targets: async ({ state = "any", scrapePool }) =>
      writeAnswer(targetsOf(metrics.targets.all(), state.toLowerCase(), scrapePool)),
    async targetNotes({ match_target: target, metric, limit = 0 }) {
      const [matchers = []] = readSelectors(target);
      return writeAnswer(targetNotesOf(metrics.targets.all(), await metrics.described(), { matchers, metric, limit }));
    },
    scrapePools: async () =>
      writeAnswer({ scrapePools: [...new Set(metrics.targets.all().map(({ job }) => job))].sort() }),
    configText: async () => writeAnswer({ yaml: configOf(metrics.targets.all()) }),
    flags: async () => writeAnswer(flags),
    async runtimeInfo() {
      const { damage } = await metrics.stats();
      return writeAnswer(runtimeOf(clock.nowMs(), process.uptime() * 1_000, damage.length));
    },
    cardinality: async ({ limit }) => writeAnswer(wireCardinality(await metrics.cardinality(limit))),
    federate: async ({ "match[]": given }, { signal }) =>
      writeText(await metrics.newest(readSelectors(given), clock.nowMs(), signal)),
  };
}
