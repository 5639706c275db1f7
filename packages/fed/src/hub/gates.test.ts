import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { type FakeIngress, makeFakeIngress } from "#port/ingress.fake.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { type CaddyDocument, makeMachineGates, ownTlsPort, serviceUrl } from "./gates.ts";

test("a machine keeps its gate, and what is behind it follows the lab", async () => {
  const clock = handClock();
  const opened: { readonly document: CaddyDocument; readonly ingress: FakeIngress }[] = [];
  let lab: CaddyDocument | undefined = { kind: "caddy" };
  const gates = makeMachineGates({
    ingressOf: () => lab,
    openShell: (machine) => makeFakeShell(clock, machine),
    openCaddy(document) {
      const ingress = makeFakeIngress(clock);
      opened.push({ document, ingress });
      return ingress;
    },
    look: async (machine) => ({ covers: () => false, version: `of ${machine}` }),
  });
  const gate = gates.of("node5");
  expect(await gate?.look?.()).toMatchObject({ version: "of node5" });
  const { signal } = new AbortController();
  await gate?.ingress.apply([], signal);
  expect(opened[0]?.ingress.applied).toHaveLength(1);
  const before = gate?.version;
  lab = { kind: "caddy", tls: "acme" };
  expect(gates.of("node5")).toBe(gate);
  expect(gate?.version).not.toBe(before);
  await gate?.ingress.apply([], signal);
  expect(opened.map(({ ingress }) => ingress.applied.length)).toEqual([1, 1]);
  lab = undefined;
  expect(gates.of("node5")).toBeUndefined();
  await gate?.ingress.apply([], signal);
  expect(opened[1]?.ingress.applied).toHaveLength(2);
  await gates.close();
});

test.each([
  [{ route: "a.b" }, undefined, "http://a.b:8080"],
  [{ route: "a.b", tls: "given" }, undefined, "https://a.b:8443"],
  [{ route: "a.b" }, { kind: "caddy" }, "http://a.b"],
  [{ route: "a.b", tls: "acme" }, { kind: "caddy" }, "https://a.b"],
  [{ route: "a.b", tls: "acme" }, { kind: "caddy", httpsPort: 8443 }, "https://a.b:8443"],
  [{ route: undefined }, undefined, undefined],
] as const)("%j behind %j is at %s", (service, document, url) => {
  expect(serviceUrl({ tls: undefined, ...service }, document, { http: 8080, https: 8443 })).toBe(url);
});

test.each([
  [80, undefined, 443],
  [8080, undefined, 8443],
  [65_400, undefined, 0],
  [0, undefined, 0],
  [8080, 9443, 9443],
])("beside port %j, with %j in the lab, TLS has port %j", (httpPort, httpsPort, port) => {
  const ingress = { kind: "builtin", ...(httpsPort === undefined ? {} : { httpsPort }) } as const;
  const hub = { kind: "server", address: "local", ingress } as const;
  const document = { name: "a", environments: {}, machines: { hub }, secrets: {}, services: {} };
  expect(ownTlsPort(document, httpPort)).toBe(port);
});
