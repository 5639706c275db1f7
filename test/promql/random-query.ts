import { randomOf } from "../../bench/node-series.ts";
import { labelsOf } from "../../packages/fed/src/engine/series/labels.ts";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";

/** Queries that nobody would write, on series with all that goes wrong: the same for the same seed. */

export const randomStartMs = 1_795_000_000_000;

/** An hour and more of counters that begin anew, gauges with holes, histograms, and floats at the edges. */
export function randomSeries(seed: number): Series[] {
  const random = randomOf(seed);
  const made: Series[] = [];
  const add = (
    labels: Record<string, string>,
    stepMs: number,
    count: number,
    next: (i: number) => number | undefined,
  ) => {
    const cells = Array.from({ length: count }, (_, i) => {
      const late = random() < 0.1 ? Math.floor(random() * 900) : 0;
      return [randomStartMs + i * stepMs + late, next(i)] as const;
    }).filter((cell): cell is readonly [number, number] => cell[1] !== undefined);
    const [times, values] = [cells.map(([time]) => time), cells.map(([, value]) => value)];
    made.push({ labels: labelsOf(labels), times: Float64Array.from(times), values: Float64Array.from(values) });
  };
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, 1, 2, -1.5, 3.7, 1e-300];
  for (const job of ["a", "b"]) {
    for (const inst of ["x", "y", "z"]) {
      let total = 0;
      const grow = () => (total = random() < 0.02 ? 0 : total + Math.floor(random() * 10));
      add({ __name__: "c_total", job, inst }, 15_000, 400, grow);
      const isHole = (i: number) => random() < 0.1 || (inst !== "x" && Math.floor(i / 30) % 4 === 1);
      add({ __name__: "g", job, inst }, 15_000, 400, (i) => (isHole(i) ? undefined : random() * 100 - 30));
      add({ __name__: "odd", job, inst }, 30_000, 200, () => odd[Math.floor(random() * odd.length)]);
      add({ __name__: "const", job, inst }, 60_000, 100, () => 5);
      const sums = [0, 0, 0, 0];
      const rows = Array.from({ length: 200 }, () =>
        sums.map((_, i) => (sums[i] = (sums[i] ?? 0) + Math.floor(random() * 4))),
      );
      for (const [k, le] of ["0.5", "1", "2.5", "+Inf"].entries()) {
        add({ __name__: "h_bucket", job, inst, le }, 30_000, 200, (i) =>
          rows[i]?.slice(0, k + 1).reduce((x, y) => x + y, 0),
        );
      }
    }
  }
  add({ __name__: "single" }, 15_000, 400, (i) => Math.sin(i / 20) * 10);
  add({ __name__: "late", job: "a" }, 15_000, 400, (i) => (i > 200 ? i : undefined));
  return made;
}

const words = (text: string) => text.split(" ");
const durations = words("1s 15s 31s 1m 2m 5m 7m30s 20m 1h");
const numbers = words("0 1 2 -1 0.5 3.3 100 NaN Inf -Inf 1e3 0x1F 1m");
const names = words("c_total g odd const h_bucket single late none g c_total");
const conditions = [
  ...['job="a"', 'job!="a"', 'inst=~"x|y"', 'inst!~"x.*"', 'job=~".*"', 'nope=""', 'inst=~".+",job="b"'],
  'le=~"1|.*Inf"',
];
const ofRanges = words(
  "rate increase delta irate idelta deriv changes resets sum_over_time avg_over_time min_over_time max_over_time count_over_time last_over_time stddev_over_time stdvar_over_time present_over_time absent_over_time",
);
const ofVectors = words(
  "abs ceil floor exp ln log2 log10 sqrt sgn sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh deg rad round timestamp absent",
);
const aggregations = words("sum avg min max count group stddev stdvar");
const operators = words("+ - * / % ^ atan2 == != < > <= >=");

/**
 * Draws queries, one at each call. Left out: what depends on the order of equals (topk of ties) and on the last bit
 * (values as labels), and where Prometheus 3.5 is known to be another: dates of no number, the lowest bucket's fraction,
 * and an aggregation's parameter that is not the same at all steps, of which it takes the first, or that has an `@ start()`.
 */
export function randomQueries(seed: number): () => string {
  const random = randomOf(seed);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] as string;
  const label = () => pick(["job", "inst", "le", "nope", "__name__"]);
  const labels = () => Array.from({ length: Math.floor(random() * 3) }, label).join(", ");
  const selector = () => {
    if (random() < 0.04) return `{__name__=~"${pick(["g|odd", "c_.*", "l.+|single", "const|late"])}"}`;
    return pick(names) + (random() < 0.5 ? "" : `{${pick(conditions)}}`);
  };
  const at = () => (random() < 0.1 ? ` @ ${pick(["end()", "start()", String(randomStartMs / 1000 + 2000.5)])}` : "");
  const offset = () => (random() < 0.15 ? ` offset ${pick(["", "-"])}${pick(durations)}` : "");
  const range = (depth: number) =>
    random() < 0.75 || depth <= 0
      ? `${selector()}[${pick(durations)}]${offset()}${at()}`
      : `(${vector(depth - 1)})[${pick(["5m", "10m", "7m"])}:${pick(["", "30s", "1m", "17s"])}]${offset()}${at()}`;
  const grouping = () => (random() < 0.7 ? ` ${pick(["by", "without"])} (${labels()})` : "");
  const matching = () => {
    if (random() < 0.3) return "";
    const one = random() < 0.4 ? ` ${pick(["group_left", "group_right"])} (${random() < 0.5 ? labels() : ""})` : "";
    return ` ${pick(["on", "ignoring"])} (${labels()})${one}`;
  };
  const scalar = (depth: number): string => {
    const draw = random();
    if (draw < 0.6 || depth <= 0) return pick(numbers);
    if (draw < 0.7) return "time()";
    if (draw < 0.85) return `scalar(${vector(depth - 1)})`;
    return `(${scalar(depth - 1)} ${pick(["+", "-", "*", "/", "%", "^", "== bool", "< bool"])} ${scalar(depth - 1)})`;
  };
  const kinds: readonly ((depth: number) => string)[] = [
    () => selector() + offset() + at(),
    (d) => `${pick(ofRanges)}(${range(d)})`,
    (d) => `${pick(ofRanges)}(${range(d)})`,
    (d) => `${pick(ofVectors)}(${vector(d)})`,
    (d) => `${pick(aggregations)}${grouping()} (${vector(d)})`,
    (d) => `${pick(aggregations)}${grouping()} (${vector(d)})`,
    (d) => `(${vector(d)} ${pick(operators)}${matching()} ${vector(d)})`,
    (d) => `(${vector(d)} ${pick(operators)} ${scalar(d)})`,
    (d) => `(${scalar(d)} ${pick(["+", "-", "/", "> bool", "=="])} ${vector(d)})`,
    (d) => `(${vector(d)} ${pick(["and", "or", "unless"])}${matching().replace(/ group.*/, "")} ${vector(d)})`,
    (d) => `quantile${grouping()} (${pick(numbers)}, ${vector(d)})`,
    (d) => `quantile_over_time(${scalar(d)}, ${range(d)})`,
    (d) => `predict_linear(${range(d)}, ${scalar(d)})`,
    (d) => `${pick(["clamp_min", "clamp_max", "round"])}(${vector(d)}, ${scalar(d)})`,
    (d) => `clamp(${vector(d)}, ${scalar(d)}, ${scalar(d)})`,
    (d) => `histogram_quantile(${scalar(d)}, rate(h_bucket[${pick(durations)}]))`,
    (d) =>
      `label_replace(${vector(d)}, "${pick(["job", "new"])}", "${pick(["$1", "v-$1", "", "$0"])}", "${label()}", "${pick(["(.*)", "(a|b)", "x(.*)?"])}")`,
    (d) => `label_join(${vector(d)}, "${pick(["job", "new"])}", "-", "job", "${label()}")`,
    () => `-${selector()}`,
    (d) => `vector(${scalar(d)})`,
  ];
  function vector(depth: number): string {
    const kind = depth <= 0 ? kinds[0] : kinds[Math.floor(random() * kinds.length)];
    return (kind as (depth: number) => string)(depth - 1);
  }
  return () => (random() < 0.05 ? scalar(3) : vector(1 + Math.floor(random() * 3)));
}
