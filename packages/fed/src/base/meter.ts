/** Counts and measures of the program itself, told in the text format of Prometheus 0.0.4. Pure; runs in the browser too. */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds 1 when `by` is left out; never less than 0. */
  add(labels?: Labels, by?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** What a gauge that is read at scrape time says. */
export type Reading = readonly { readonly labels?: Labels; readonly value: number }[];

export interface Meter {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** `bounds` are upper limits, ascending; +Inf is added. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Read only when somebody asks, so that it costs nothing in between. */
  watch(name: string, type: "gauge" | "counter", help: string, read: () => number | Reading): void;
  /** The exposition; metrics in the order of their names. */
  render(): string;
}

/** More series of one metric than this are not kept: a label that grows without end must not eat the memory. */
const mostSeries = 1_000;

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  lines(name: string): Iterable<string>;
}

export function makeMeter(): Meter {
  const families = new Map<string, Family>();
  const add = (name: string, family: Family) => {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) || families.has(name)) throw new RangeError(`metric ${name}`);
    families.set(name, family);
  };
  return {
    counter(name, help) {
      const values = makeSeries(() => ({ value: 0 }));
      add(name, { type: "counter", help, lines: (own) => simpleLines(own, values) });
      return {
        add(labels = {}, by = 1) {
          const series = values.of(labels);
          if (series && by > 0) series.value += by;
        },
      };
    },
    gauge(name, help) {
      const values = makeSeries(() => ({ value: 0 }));
      add(name, { type: "gauge", help, lines: (own) => simpleLines(own, values) });
      return {
        set(value, labels = {}) {
          const series = values.of(labels);
          if (series) series.value = value;
        },
      };
    },
    histogram(name, help, bounds) {
      const values = makeSeries(() => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }));
      add(name, { type: "histogram", help, lines: (own) => histogramLines(own, bounds, values) });
      return {
        observe(value, labels = {}) {
          const series = values.of(labels);
          if (!series) return;
          series.count++;
          series.sum += value;
          const at = bounds.findIndex((bound) => value <= bound);
          if (at >= 0) series.counts[at] = (series.counts[at] ?? 0) + 1;
        },
      };
    },
    watch(name, type, help, read) {
      add(name, {
        type,
        help,
        *lines(own) {
          const read_ = read();
          const readings = typeof read_ === "number" ? [{ value: read_ }] : read_;
          for (const { labels, value } of readings) yield line(own, labels ?? {}, value);
        },
      });
    },
    render() {
      const parts: string[] = [];
      for (const [name, { type, help, lines }] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
        parts.push(`# HELP ${name} ${escapeText(help, false)}`, `# TYPE ${name} ${type}`, ...lines(name));
      }
      return `${parts.join("\n")}\n`;
    },
  };
}

interface Series<T> {
  /** Undefined when there are too many already. */
  of(labels: Labels): T | undefined;
  entries(): Iterable<readonly [Labels, T]>;
}

function makeSeries<T>(make: () => T): Series<T> {
  const all = new Map<string, readonly [Labels, T]>();
  return {
    of(labels) {
      const key = JSON.stringify(Object.entries(labels).sort());
      const known = all.get(key);
      if (known) return known[1];
      if (all.size >= mostSeries) return undefined;
      const made = make();
      all.set(key, [labels, made]);
      return made;
    },
    entries: () => all.values(),
  };
}

function* simpleLines(name: string, values: Series<{ value: number }>): Iterable<string> {
  for (const [labels, { value }] of values.entries()) yield line(name, labels, value);
}

function* histogramLines(
  name: string,
  bounds: readonly number[],
  values: Series<{ counts: number[]; count: number; sum: number }>,
): Iterable<string> {
  for (const [labels, { counts, count, sum }] of values.entries()) {
    let below = 0;
    for (const [at, bound] of bounds.entries()) {
      below += counts[at] ?? 0;
      yield line(`${name}_bucket`, { ...labels, le: numberText(bound) }, below);
    }
    yield line(`${name}_bucket`, { ...labels, le: "+Inf" }, count);
    yield line(`${name}_sum`, labels, sum);
    yield line(`${name}_count`, labels, count);
  }
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeText(text, true)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function escapeText(text: string, quoted: boolean): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quoted ? escaped.replaceAll('"', '\\"') : escaped;
}
