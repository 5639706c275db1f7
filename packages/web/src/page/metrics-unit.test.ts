import { expect, test } from "vitest";
import { commonUnit, numberText, unitOf, valueText } from "./metrics-unit.ts";

test.each([
  ["process_resident_memory_bytes", 3 * 2 ** 20, "3 MiB"],
  ["rate(node_network_receive_bytes_total[5m])", 1_536, "1.5 KiB/s"],
  ["sum by (a) (increase(x_bytes_total[5m]))", 10, "10 B"],
  ["rate(http_requests_total[5m])", 12.345, "12.35/s"],
  ["nodejs_eventloop_lag_p99_seconds", 0.012, "12 ms"],
  ["rate(node_cpu_seconds_total[5m])", 0.5, "0.5"],
  ["histogram_quantile(0.9, sum by (le) (rate(http_duration_seconds_bucket[5m])))", 0.34, "340 ms"],
  ["process_start_time_seconds", 1_795_000_000, "1.795 G"],
  ["disk_used_ratio", 0.123, "12.3%"],
  ["disk_used_ratio * 100", 12.3, "12.3%"],
  ["a_bytes / b_bytes", 0.5, "0.5"],
  ["a_bytes - b_bytes", 2_048, "2 KiB"],
  ["a_bytes - b_seconds", 2_048, "2,048"],
  ["a_bytes > 5", 2_048, "2 KiB"],
  ["a_bytes > bool 5", 1, "1"],
  ["count(a_bytes)", 3, "3"],
  ["max_over_time(a_bytes[1h:5m])", 1_024, "1 KiB"],
  ["topk(3, a_bytes)", 1_024, "1 KiB"],
  ["not a query (", 5, "5"],
] as const)("%s: %d is %s", (query, value, text) => expect(valueText(value, unitOf(query))).toBe(text));

test.each([
  [0, "0"],
  [-1.5, "-1.5"],
  [0.00012346, "0.0001235"],
  [0.000001, "1.00e-6"],
  [12_345, "12,345"],
  [1_234_567, "1.235 M"],
  [-2.5e12, "-2.5 T"],
  [3e20, "3.00e20"],
] as const)("%d is shown as %s", (value, text) => expect(numberText(value)).toBe(text));

test("what is no number is said in Prometheus' words, and 0 bytes have a unit", () => {
  const bytes = unitOf("a_bytes");
  expect(
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -2_048].map((one) => valueText(one, bytes)),
  ).toEqual(["NaN", "+Inf", "-Inf", "0 B", "-2 KiB"]);
});

test("an axis has the unit that all have", () => {
  expect(commonUnit([unitOf("a_bytes"), unitOf("b_bytes")]).kind).toBe("bytes");
  expect(commonUnit([unitOf("a_bytes"), unitOf("rate(b_bytes[1m])")]).kind).toBe("number");
  expect(commonUnit([]).kind).toBe("number");
});
