/** Queries as dashboards and alert rules have them, and all that the language has besides, on series of a node_exporter. */

const cpu = "node_cpu_seconds_total";
const counters = [`${cpu}{cpu="0"}`, "node_network_receive_bytes_total", "begun_again_total"];
const gauges = ["node_load1", "node_filesystem_avail_bytes", "gappy", "strange"];

const overTime = ["avg", "min", "max", "sum", "count", "last", "stddev", "stdvar", "present", "absent"].map(
  (name) => `${name}_over_time`,
);
const ofCounters = ["rate", "increase", "irate", "resets"];
const ofGauges = ["delta", "idelta", "deriv", "changes", ...overTime];
const ofNumbers =
  "abs ceil floor exp ln log2 log10 sqrt sgn sin cos tan asin acos atan sinh cosh tanh asinh acosh deg rad round timestamp absent scalar".split(
    " ",
  );
const aggregations = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"];
const operators = ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", ">", "<=", ">=", "== bool", "> bool"];

export const queries: readonly string[] = [
  ...ofCounters.flatMap((f) => counters.flatMap((x) => ["3m", "5m", "1h"].map((range) => `${f}(${x}[${range}])`))),
  ...ofGauges.flatMap((f) => gauges.map((x) => `${f}(${x}[7m])`)),
  ...ofNumbers.map((f) => `${f}(strange)`),
  ...aggregations.flatMap((f) => [
    `${f}(${cpu})`,
    `${f} by (mode) (rate(${cpu}[5m]))`,
    `${f} without (device) (strange)`,
  ]),
  ...operators.flatMap((op) => [`gappy ${op} node_load1`, `strange ${op} 1`, `1 ${op} strange`]),
  ...operators.slice(0, 7).map((op) => `rate(${cpu}[5m]) ${op} on (cpu) group_left sum by (cpu) (rate(${cpu}[5m]))`),
  ...["and", "or", "unless"].flatMap((op) => [
    `gappy ${op} node_load1`,
    `strange > 0 ${op} gappy`,
    `${cpu} ${op} on (cpu) (gappy)`,
  ]),
  ...["0.5", "0.99", "0", "1"].flatMap((q) => [
    `quantile(${q}, ${cpu})`,
    `quantile by (mode) (${q}, rate(${cpu}[5m]))`,
    `quantile_over_time(${q}, strange[10m])`,
    `histogram_quantile(${q}, rate(took_seconds_bucket[5m]))`,
    `histogram_quantile(${q}, sum by (le) (took_seconds_bucket))`,
  ]),
  ...["1", "3", "100"].flatMap((k) => [`topk(${k}, ${cpu})`, `bottomk by (mode) (${k}, rate(${cpu}[5m]))`]),
  ...["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"].flatMap((f) => [
    `${f}()`,
    `${f}(node_time_seconds)`,
  ]),
  ...["1m30s", "3m", "47m"].flatMap((range) => [`rate(gappy[${range}])`, `delta(begun_again_total[${range}])`]),
  ...["by (path)", "without (le)", "by (le, path)"].map((by) => `sum ${by} (increase(took_seconds_bucket[10m]))`),
  ...["2", "-1", "NaN"].map((q) => `quantile(${q}, gappy)`),
  "node_load1",
  "node_load5",
  "node_load15 offset 1d",
  "node_load1 offset 10m",
  "node_load1 offset -10m",
  "node_load1 @ end()",
  "rate(begun_again_total[5m] @ start())",
  "-node_load1",
  `{__name__=~"node_load.*"}`,
  `-{__name__=~"node_load1|gappy"}`,
  `rate({__name__=~"node_network_(receive|transmit)_bytes_total"}[5m])`,
  `${cpu}{mode=~"user|system",cpu!="3"}`,
  `${cpu}{mode!~"i.*"}`,
  `max_over_time(rate(begun_again_total[3m])[30m:2m])`,
  `avg_over_time((sum by (mode) (rate(${cpu}[5m])))[20m:])`,
  `sum_over_time(gappy[10m:90s] offset 5m)`,
  `clamp(node_load1, 0.5, 0.6)`,
  `clamp_min(strange, 1)`,
  `clamp_max(strange, 1)`,
  `round(node_load1, 0.05)`,
  `predict_linear(node_filesystem_avail_bytes[1h], 14400) < 0`,
  `predict_linear(node_filesystem_avail_bytes[1h], 14400)`,
  `100 * (1 - avg by (instance) (rate(${cpu}{mode="idle"}[5m])))`,
  `node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.5`,
  `sum by (device) (rate(node_disk_read_bytes_total[5m]) + rate(node_disk_written_bytes_total[5m]))`,
  `rate(node_disk_io_time_seconds_total[5m]) > 0.001`,
  `node_load1 > on (instance) count by (instance) (${cpu}{mode="idle"}) / 8`,
  `label_replace(node_load1, "host", "$1", "instance", "(.*):.*")`,
  `label_join(${cpu}, "where", "-", "cpu", "mode")`,
  `count_values("load", round(node_load1))`,
  `count_values without (device) ("v", strange)`,
  `sort_desc(sum by (mode) (${cpu}))`,
  `absent(nothing{a="b"})`,
  `absent_over_time(gappy[4m])`,
  `scalar(gappy) + vector(1)`,
  "time() - node_boot_time_seconds",
  "vector(time())",
  "1 + 1",
  "pi() * 2",
  "node_load1 + on (instance) node_load5",
  "node_load1 + on (mode) node_load5 + on (cpu) gappy",
  "node_filesystem_avail_bytes + on (instance) node_load1",
  "node_load1 + on (instance) node_filesystem_avail_bytes",
];

/** What Prometheus 2 answers otherwise, and why. */
export const otherBefore3: Readonly<Record<string, string>> = {
  "gappy atan2 node_load1": "kept the name",
  "strange atan2 1": "kept the name",
  "1 atan2 strange": "kept the name",
  "max_over_time(rate(begun_again_total[3m])[30m:2m])": "closed ranges on the left, and subqueries lie on the grid",
  [`avg_over_time((sum by (mode) (rate(${cpu}[5m])))[20m:])`]: "the same",
};
