import { expect, it } from "vitest";
import { readLab } from "../lab.ts";
import { ingressOf, tlsOf } from "../resolve.ts";
import { container, plainLab, program, wordsOf, wrongWith } from "../test-lab.ts";

const certificates = [{ certificate: "./full.pem", key: "./key.pem" }];

/** The machines of the plain lab, with these ingresses. */
function machines(hub: object | undefined, node5?: object) {
  return {
    machines: {
      hub: { kind: "server", address: "local", ...(hub === undefined ? {} : { ingress: hub }) },
      node5: { kind: "server", address: "b", ...(node5 === undefined ? {} : { ingress: node5 }) },
      node6: { kind: "server", address: "c" },
    },
  };
}

const route = { dev: "a.localhost", prod: "a.example.org" };
const a = { ...container, on: { prod: "node5" }, route };

it("says nothing where no TLS is wanted, and where each name can have its certificate", () => {
  const given = { kind: "builtin", certificates };
  const caddy = { kind: "caddy", tls: "acme", email: "ada@example.org" };
  expect(wrongWith({ a }, machines(undefined))).toEqual([]);
  expect(wrongWith({ a }, machines({ kind: "builtin" }, { kind: "caddy" }))).toEqual([]);
  expect(wrongWith({ a }, machines(given, caddy))).toEqual([]);
  expect(wrongWith({ a: { ...a, tls: { dev: "given", prod: "internal" } } }, machines(given, caddy))).toEqual([]);
  expect(
    wrongWith(
      { a: { ...a, tls: "none" } },
      machines({ kind: "builtin", tls: "given" }, { kind: "caddy", tls: "given" }),
    ),
  ).toEqual([]);
});

it("reports fed's own ingress at another machine than the hub's", () => {
  expect(wrongWith({}, machines(undefined, { kind: "builtin" }))).toEqual(["bad-value machines.node5.ingress"]);
});

it("reports a certificate that fed's own ingress would have to make", () => {
  const lab = plainLab({ a: { ...a, tls: { dev: "internal" } } }, machines(undefined));
  expect(wordsOf(lab)).toEqual([
    'a.localhost is served by fed\'s own ingress, which makes no certificates: it has those it is given. Say "given", with certificates in builtin({ certificates: [...] }) at the hub\'s machine, or ingress: caddy({ tls: "internal" }) at hub.',
  ]);
  // On a machine without an ingress of its own it is the hub's that serves.
  expect(wrongWith({ a: { ...a, tls: { prod: "acme" } } }, machines(undefined))).toEqual([
    "bad-value services.a.tls.prod",
  ]);
});

it("reports a given certificate that nobody gives, once and where it is said", () => {
  const b = { ...program, on: { prod: "node5" }, route: { prod: "b.example.org" } };
  expect(wrongWith({ a, b }, machines(undefined, { kind: "caddy", tls: "given" }))).toEqual([
    "missing-key machines.node5.ingress.tls",
    "missing-key machines.node5.ingress.tls",
  ]);
  expect(
    wrongWith({ a: { ...a, tls: "given" } }, machines({ kind: "builtin" }, { kind: "caddy", certificates })),
  ).toEqual(["missing-key services.a.tls"]);
});

it.each(["blog", "blog.localhost", "blog.lan", "a.home.arpa"])("reports a public certificate for %s", (host) => {
  const caddy = { kind: "caddy", tls: "acme" };
  const lab = plainLab({ a: { ...a, route: { prod: host } } }, machines(undefined, caddy));
  expect(wordsOf(lab)).toEqual([expect.stringContaining('Say tls: "internal" for a in prod')]);
  // An authority of one's own may know it.
  const own = { ...caddy, directory: "https://ca.lan/acme/acme/directory" };
  expect(wordsOf(plainLab({ a: { ...a, route: { prod: host } } }, machines(undefined, own)))).toEqual([]);
});

it("reports tls without a host name", () => {
  expect(wrongWith({ a: { ...program, tls: "none" } })).toEqual(["missing-key services.a.tls"]);
});

it("knows which ingress serves a machine, and where a certificate comes from", () => {
  const caddy = { kind: "caddy", tls: "acme" };
  const own = { kind: "builtin", certificates, httpsPort: 8443 };
  const services = { a: { ...a, tls: { dev: "given" } }, b: { ...program, in: ["dev"] } };
  const { lab } = readLab(plainLab(services, machines(own, caddy)));
  if (lab === undefined) return expect.unreachable();
  expect(ingressOf(lab, "node5")).toEqual({ machine: "node5", ingress: caddy });
  expect(ingressOf(lab, "node6")).toEqual({ machine: "hub", ingress: own });
  expect(["dev", "prod"].map((environment) => tlsOf(lab, "a", environment))).toEqual(["given", "acme"]);
  expect([tlsOf(lab, "b", "dev"), tlsOf(lab, "nobody", "dev")]).toEqual([undefined, undefined]);
  const { lab: bare } = readLab(plainLab({ a }));
  if (bare === undefined) return expect.unreachable();
  expect(ingressOf(bare, "node5")).toEqual({ machine: "hub", ingress: { kind: "builtin" } });
  expect(tlsOf(bare, "a", "prod")).toBeUndefined();
});
