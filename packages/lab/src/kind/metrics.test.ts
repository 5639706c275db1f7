import { describe, expect, it } from "vitest";
import { readLab } from "../lab.ts";
import { plainLab, wrongWith } from "../test-lab.ts";

const url = "http://10.0.0.5:8428/api/v1/write";
const wrongTarget = (target: unknown) => wrongWith({}, { metrics: { remoteWrite: { far: target } } });

describe("a target of remote write", () => {
  it.each([
    { url },
    { url: "https://example.org/push?tenant=1", auth: { user: "ada", password: { secret: "KEY" } } },
    { url: "http://[fd00::5]:9090/api/v1/write", auth: { token: { secret: "KEY" } } },
    { url, labels: { hub: "ocean" }, only: ['{job="node"}', "up"], drop: ["go_gc_duration_seconds"] },
  ])("can be %j", (target) => {
    expect(wrongTarget(target)).toEqual([]);
    const { lab } = readLab(plainLab({}, { metrics: { remoteWrite: { far: target } } }));
    expect(lab?.metrics).toEqual({ remoteWrite: { far: target } });
  });

  const at = "metrics.remoteWrite.far";
  it.each<[target: unknown, wrong: string]>([
    [url, `wrong-type ${at}`],
    [{}, `missing-key ${at}`],
    [{ url: "10.0.0.5:8428" }, `bad-value ${at}.url`],
    [{ url: "http://ada:geheim@10.0.0.5" }, `bad-value ${at}.url`],
    [{ url: "http://a b" }, `bad-value ${at}.url`],
    [{ url, urll: url }, `unknown-key ${at}.urll`],
    [{ url, auth: { user: "ada" } }, `missing-key ${at}.auth`],
    [{ url, auth: { user: "ada", password: "geheim" } }, `wrong-type ${at}.auth.password`],
    [{ url, auth: { user: "a:b", password: { secret: "KEY" } } }, `bad-value ${at}.auth.user`],
    [{ url, auth: { token: { secret: "GONE" } } }, `unknown-secret ${at}.auth.token.secret`],
    [{ url, auth: { token: { secret: "KEY" }, user: "ada" } }, `unknown-key ${at}.auth.user`],
    [{ url, labels: { "a-b": "x" } }, `bad-name ${at}.labels.a-b`],
    [{ url, labels: { a: "" } }, `empty ${at}.labels.a`],
    [{ url, only: "up" }, `wrong-type ${at}.only`],
    [{ url, only: [] }, `empty ${at}.only`],
    [{ url, drop: ["up", "up"] }, `duplicate ${at}.drop[1]`],
  ])("cannot be %j", (target, wrong) => {
    expect(wrongTarget(target)).toEqual([wrong]);
  });

  it("is one of eight at most, each with a name of its own", () => {
    const targets = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, nth) => [`far${nth}`, { url }]));
    expect(wrongWith({}, { metrics: { remoteWrite: targets(8) } })).toEqual([]);
    expect(wrongWith({}, { metrics: { remoteWrite: targets(9) } })).toEqual(["out-of-range metrics.remoteWrite"]);
    expect(wrongWith({}, { metrics: { remoteWrite: { "Far Away": { url } } } })).toEqual([
      'bad-name metrics.remoteWrite["Far Away"]',
    ]);
    expect(wrongWith({}, { metrics: {} })).toEqual([]);
    expect(wrongWith({}, { metrics: { remotewrite: {} } })).toEqual(["unknown-key metrics.remotewrite"]);
  });
});
