import { describe, expect, it } from "vitest";
import { readLab } from "../lab.ts";
import { plainLab, wordsOf, wrongWith } from "../test-lab.ts";

const url = "http://10.0.0.5:9100/metrics";
const machines = (exporters: unknown, more: object = {}) => ({
  machines: {
    hub: { kind: "server", address: "local" },
    node5: { kind: "server", address: "10.0.0.5", exporters, ...more },
    node6: { kind: "server", address: "10.0.0.6" },
  },
});
const wrong = (exporter: unknown) => wrongWith({}, machines({ node: exporter }));

describe("an exporter", () => {
  it.each([
    { url },
    { url, every: "1s", timeout: "500ms" },
    { url: "https://[fd00::5]/probe?target=a&b=c", every: "1h", timeout: "1h" },
    { url, labels: { site: "home", a_1: "x" } },
    { url, auth: { user: "ada", password: { secret: "KEY" } } },
    { url, auth: { token: { secret: "KEY" } } },
  ])("can be %j", (exporter) => {
    expect(wrong(exporter)).toEqual([]);
    const { lab } = readLab(plainLab({}, machines({ node: exporter })));
    expect(lab?.machines.node5?.exporters).toEqual({ node: exporter });
  });

  it("may be its URL alone, which is the same in the document", () => {
    const { lab } = readLab(plainLab({}, machines({ node: url })));
    expect(lab?.machines.node5?.exporters).toEqual({ node: { url } });
  });

  const at = "machines.node5.exporters.node";
  it.each<[exporter: unknown, wrong: string]>([
    ["10.0.0.5:9100", `bad-value ${at}`],
    ["http://ada:geheim@10.0.0.5", `bad-value ${at}`],
    [{ url: "ftp://x" }, `bad-value ${at}.url`],
    [{}, `missing-key ${at}`],
    [5, `wrong-type ${at}`],
    [{ url, evry: "1s" }, `unknown-key ${at}.evry`],
    [{ url, every: "500ms" }, `out-of-range ${at}.every`],
    [{ url, every: "2h" }, `out-of-range ${at}.every`],
    [{ url, every: 30 }, `wrong-type ${at}.every`],
    [{ url, timeout: "50ms" }, `out-of-range ${at}.timeout`],
    [{ url, every: "5s", timeout: "6s" }, `out-of-range ${at}.timeout`],
    [{ url, timeout: "11s" }, `out-of-range ${at}.timeout`],
    [{ url, labels: { machine: "node6" } }, `reserved-name ${at}.labels.machine`],
    [{ url, labels: { job: "x" } }, `reserved-name ${at}.labels.job`],
    [{ url, labels: { instance: "x" } }, `reserved-name ${at}.labels.instance`],
    [{ url, labels: { __name__: "up" } }, `reserved-name ${at}.labels.__name__`],
    [{ url, labels: { "a-b": "x" } }, `bad-name ${at}.labels.a-b`],
    [{ url, labels: { a: "" } }, `empty ${at}.labels.a`],
    [{ url, auth: { user: "ada", password: "geheim" } }, `wrong-type ${at}.auth.password`],
    [{ url, auth: { token: { secret: "GONE" } } }, `unknown-secret ${at}.auth.token.secret`],
  ])("cannot be %j", (exporter, expected) => {
    expect(wrong(exporter)).toEqual([expected]);
  });

  it("is one of 32 at most, each with a name of its own", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, nth) => [`e${nth}`, url]));
    expect(wrongWith({}, machines(many(32)))).toEqual([]);
    expect(wrongWith({}, machines(many(33)))).toEqual(["out-of-range machines.node5.exporters"]);
    expect(wrongWith({}, machines({ "My Node": url }))).toEqual(['bad-name machines.node5.exporters["My Node"]']);
    expect(wrongWith({}, machines([url]))).toEqual(["wrong-type machines.node5.exporters"]);
  });

  it("has until its next scrape, which is as often as its machine is looked at", () => {
    expect(wrongWith({}, machines({ node: { url, timeout: "20s" } }, { every: "30s" }))).toEqual([]);
    expect(wordsOf(plainLab({}, machines({ node: { url, timeout: "5s" } }, { every: "3s" })))).toEqual([
      "A scrape may take 5s, which is longer than until the next one (3 s). Make `timeout` shorter, or `every` longer.",
    ]);
  });

  it("says why machine and instance are no labels of its own", () => {
    expect(wordsOf(plainLab({}, machines({ node: { url, labels: { instance: "x" } } })))[0]).toMatch(
      /cannot be called "instance".*which machine and exporter/,
    );
  });
});
