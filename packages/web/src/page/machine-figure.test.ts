import { parse } from "@fed/fed/engine/promql/parse.ts";
import { expect, test } from "vitest";
import { joined } from "./board.ts";
import { charts, figuresOf } from "./machine-figure.ts";
import { figuresOfAll } from "./machines-figure.ts";

const node5 = { name: "node5", intervalMs: 10_000 };
const nas = { name: "nas", intervalMs: 3_600_000 };
const pace = { stepMs: 30_000, intervalMs: 10_000 };

test.each([...figuresOf('no"de\\5', pace), ...figuresOfAll([node5, nas])])(
  "$id is PromQL, alone and joined",
  (figure) => {
    for (const query of [figure.steps, figure.now, joined([figure], "now")]) expect(() => parse(query)).not.toThrow();
  },
);

test("all of them are one query", () => {
  expect(() => parse(joined(figuresOf("node5", pace), "steps"))).not.toThrow();
  expect(() => parse(joined(figuresOfAll([node5, nas]), "now"))).not.toThrow();
});

test("a rate reaches back over four ticks at least, and over its step: no sample is left out of a chart", () => {
  const [short, long] = [figuresOf("a", pace), figuresOf("a", { ...pace, stepMs: 3_600_000 })];
  expect(short[0]?.steps).toContain('rate(node_cpu_seconds_total{machine="a",mode!="idle"}[40s])');
  expect(long[0]?.steps).toContain("[3610s]");
  expect(long[0]?.now).toContain("irate(");
  expect(figuresOf("a", { stepMs: 30_000, intervalMs: 300_000 })[0]?.now).toContain("[900s]");
});

test("a machine that is asked once an hour does not make the course of the others flat", () => {
  const [cpu, memory] = figuresOfAll([node5, nas]);
  expect(cpu?.steps).toContain('node_cpu_seconds_total{machine!="",mode="idle"}[70s]');
  expect(cpu?.steps).toContain('node_cpu_seconds_total{machine=~"nas",mode="idle"}[14400s]');
  expect(memory?.steps).not.toContain("nas");
  expect(figuresOfAll([nas])[0]?.steps).toContain('{machine!="",mode="idle"}[14400s]');
  const many = Array.from({ length: 200 }, (_, n) => ({ ...nas, name: `a-machine-with-a-name-${n}` }));
  expect(joined(figuresOfAll([node5, ...many]), "steps").length).toBeLessThan(8_000);
  expect(figuresOfAll([node5])[0]?.steps).not.toContain(" or ");
});

test("charts that every machine has come first: nothing moves when others come", () => {
  const optional = charts.map((one) => one.optional);
  expect(optional.indexOf(true)).toBe(optional.lastIndexOf(false) + 1);
  expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
});
