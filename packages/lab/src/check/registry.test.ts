import { describe, expect, it } from "vitest";
import { registryOf } from "../resolve.ts";
import { plainLab, wordsOf, wrongWith } from "../test-lab.ts";

const pushed = (push: unknown) => ({ a: { run: { kind: "build", folder: "./a", push }, port: 80 } });
const registries = { "ghcr.io": {}, "nas:5000": {} };

describe("an image that is built", () => {
  it.each(["ghcr.io/ada/a", "nas:5000/a", "ghcr.io/ada/a_b-c.d"])("can be pushed to %s", (push) => {
    expect(wrongWith(pushed(push), { registries })).toEqual([]);
  });

  it("goes to a registry that the lab names, which is said once", () => {
    expect(wrongWith(pushed("ghrc.io/ada/a"), { registries })).toEqual(["unknown-registry services.a.run.push"]);
    expect(wordsOf(plainLab(pushed("ghrc.io/ada/a"), { registries }))).toEqual([
      'It is pushed to ghrc.io, and the lab has no such registry. Did you mean "ghcr.io"?',
    ]);
    expect(wordsOf(plainLab(pushed("nas:5000/a")))).toEqual([expect.stringContaining('registries: { "nas:5000": {')]);
  });

  it("is checked where it is built", () => {
    const run = { dev: { kind: "process", command: ["x"] }, prod: { kind: "build", folder: "./a", push: "x.io/a" } };
    expect(wrongWith({ a: { run } }, { registries })).toEqual(["unknown-registry services.a.run.prod.push"]);
  });

  it.each<[push: unknown, hint: string]>([
    ["ada/a", "Begin with the registry"],
    ["ghcr.io/ada/a:1", "without a tag"],
    ["ghcr.io/Ada/a", "lower case"],
    ["https://ghcr.io/a", "ghcr.io/owner/name"],
    ["", "Expected the repository of a registry"],
    [5, "Expected the repository of a registry"],
  ])("cannot be pushed to %j", (push, hint) => {
    expect(wordsOf(plainLab(pushed(push), { registries })).join()).toContain(hint);
  });
});

it.each([
  ["nginx", "docker.io"],
  ["grafana/grafana:1", "docker.io"],
  ["index.docker.io/library/nginx", "docker.io"],
  ["ghcr.io/ada/a:1", "ghcr.io"],
  ["localhost/a", "localhost"],
  ["nas:5000/a/b@sha256:0", "nas:5000"],
])("%s is of the registry %s", (reference, registry) => {
  expect(registryOf(reference)).toBe(registry);
});
