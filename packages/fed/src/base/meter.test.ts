import fc from "fast-check";
import { expect, test } from "vitest";
import { makeMeter } from "./meter.ts";

test("counters, gauges, histograms and what is read at scrape time", () => {
  const meter = makeMeter();
  const requests = meter.counter("requests_total", "Requests by status.");
  requests.add({ status: "200" });
  requests.add({ status: "200" }, 2);
  requests.add({ status: "500" }, -3);
  meter.gauge("free_bytes", "Room.").set(7.5);
  const took = meter.histogram("took_seconds", "Time.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 3]) took.observe(value, { endpoint: "status" });
  meter.watch("loops", "gauge", "Loops.", () => [{ labels: { loop: "look" }, value: Number.POSITIVE_INFINITY }]);
  expect(meter.render()).toBe(
    [
      "# HELP free_bytes Room.",
      "# TYPE free_bytes gauge",
      "free_bytes 7.5",
      "# HELP loops Loops.",
      "# TYPE loops gauge",
      'loops{loop="look"} +Inf',
      "# HELP requests_total Requests by status.",
      "# TYPE requests_total counter",
      'requests_total{status="200"} 3',
      'requests_total{status="500"} 0',
      "# HELP took_seconds Time.",
      "# TYPE took_seconds histogram",
      'took_seconds_bucket{endpoint="status",le="0.1"} 2',
      'took_seconds_bucket{endpoint="status",le="1"} 3',
      'took_seconds_bucket{endpoint="status",le="+Inf"} 4',
      'took_seconds_sum{endpoint="status"} 3.65',
      'took_seconds_count{endpoint="status"} 4',
      "",
    ].join("\n"),
  );
});

test("any text of a label comes back from the exposition as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const meter = makeMeter();
      meter.counter("c", text).add({ label: text });
      const lines = meter.render().split("\n");
      expect(lines).toHaveLength(4);
      const [, quoted = ""] = /^c\{label="(.*)"\} 1$/s.exec(lines[2] ?? "") ?? [];
      const read = quoted.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
      expect(read).toBe(text);
    }),
  );
});

test("labels in another order are the same series; too many series are not kept", () => {
  const meter = makeMeter();
  const counter = meter.counter("c", "");
  counter.add({ a: "1", b: "2" });
  counter.add({ b: "2", a: "1" });
  expect(meter.render()).toContain('c{a="1",b="2"} 2');
  for (let n = 0; n < 5_000; n++) counter.add({ n: String(n) });
  expect(meter.render().split("\n").length).toBeLessThan(1_010);
});

test("a name is used once and is one that Prometheus takes", () => {
  const meter = makeMeter();
  meter.counter("a", "");
  expect(() => meter.gauge("a", "")).toThrow(RangeError);
  expect(() => meter.gauge("a b", "")).toThrow(RangeError);
});
