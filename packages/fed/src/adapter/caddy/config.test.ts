import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import type { IngressRoute } from "#port/ingress.ts";
import { readAddresses } from "./address.ts";
import { newAddresses, type Wanted, withFed } from "./config.ts";
import { type Json, objectOf, sameJson } from "./json.ts";
import { explainRefusal } from "./refusal.ts";

const base: Wanted = {
  ...{ folder: "/run/fed-caddy", seats: 6, keepsStreams: true, settleMs: 300, turn: "one" },
  ...{ listen: { http: ":80", https: ":443" }, certificates: [], acme: { email: "ada@example.org" } },
  ...{ routes: [], leaving: [], isLocal: (host: string) => host !== "203.0.113.7" },
};
const api: IngressRoute = { match: { kind: "host", host: "api.localhost" }, service: "dev/api", targets: [] };
const secure = (host: string, kind: "internal" | "acme"): IngressRoute => ({
  ...{ match: { kind: "host", host, tls: { kind } }, service: `dev/${host}`, targets: [] },
});
const door: IngressRoute = {
  ...{ match: { kind: "door", port: 30_001, protocol: "http", hosts: ["172.18.0.1", "203.0.113.7"] }, targets: [] },
  service: "dev/api",
};

const serversOf = (config: Json | undefined) => objectOf(objectOf(objectOf(objectOf(config).apps).http).servers);
const others = { admin: { listen: "localhost:2019" }, apps: { http: { servers: { srv0: { listen: [":8080"] } } } } };

describe("the configuration", () => {
  test("is changed once and not again, until something is wanted that it is not", () => {
    const wanted = { ...base, routes: [api, door] };
    const first = withFed(others, wanted);
    expect(first).toBeDefined();
    expect(withFed(first ?? null, { ...wanted, turn: "two" })).toBeUndefined();
    const second = withFed(first ?? null, { ...base, turn: "two" });
    expect(Object.keys(serversOf(second))).toEqual(["srv0", "fed"]);
    expect(serversOf(second).srv0).toEqual({ listen: [":8080"] });
  });

  test("looks into a folder only for whom it is: of two conditions in one set Caddy may ask for the file first", () => {
    const sets = (part: Json | undefined): readonly Json[] => {
      if (typeof part !== "object" || part === null) return [];
      const own = Array.isArray(objectOf(part).match) ? (objectOf(part).match as readonly Json[]) : [];
      return [...own, ...Object.values(part).flatMap(sets)];
    };
    const files = sets(withFed(others, { ...base, routes: [api, door] })).filter(
      (set) => objectOf(set).file !== undefined,
    );
    expect(files.map((set) => Object.keys(objectOf(set)))).toEqual([["file"], ["file"], ["file"]]);
  });

  test("begins from nothing, as Caddy says it when it has none", () => {
    expect(Object.keys(serversOf(withFed(null, base)))).toEqual(["fed"]);
  });

  test("tells the new server from the old one by a socket, so that the old one says goodbye", () => {
    const first = withFed(others, { ...base, routes: [api] });
    expect(objectOf(serversOf(first).fed).listen).toEqual([":80", "unix/@fed-one-fed"]);
    const second = withFed(first ?? null, { ...base, routes: [], turn: "two" });
    expect(objectOf(serversOf(second).fed).listen).toEqual([":80", "unix/@fed-two-fed"]);
  });

  test("goes on counting what is leaving, and is not changed to stop it", () => {
    const first = withFed(others, { ...base, leaving: ["{a}", "{b}"] });
    expect(JSON.stringify(first)).toContain('"dial":"{a}"');
    expect(withFed(first ?? null, { ...base, leaving: ["{b}"], turn: "two" })).toBeUndefined();
    const more = withFed(first ?? null, { ...base, leaving: ["{c}"], turn: "two" });
    expect(JSON.stringify(more)).not.toContain('"dial":"{a}"');
  });

  test("has a server for each door, where the machine has the address", () => {
    const next = withFed(others, { ...base, routes: [door] }) ?? null;
    const { listen } = objectOf(serversOf(next)["fed-door-30001"]);
    expect(listen).toEqual(["127.0.0.1:30001", "172.18.0.1:30001", "unix/@fed-one-fed-door-30001"]);
    expect(newAddresses(others, next)).toEqual([":80", "127.0.0.1:30001", "172.18.0.1:30001"]);
  });

  test.each([
    [":80", true],
    ["tcp/0.0.0.0:80", true],
    ["127.0.0.1:80", false],
    [":8080", false],
  ])("our names are put into a server of others that listens on %s: %s", (listen, isShared) => {
    const theirs = { listen: [listen], routes: [{ handle: [] }] };
    const config = { apps: { http: { servers: { theirs } } } };
    const next = withFed(config, { ...base, routes: [api] });
    expect(Object.keys(serversOf(next))).toEqual(isShared ? ["theirs"] : ["theirs", "fed"]);
    expect(JSON.stringify(serversOf(next).theirs).includes("api.localhost")).toBe(isShared);
    expect(withFed(next ?? null, { ...base, routes: [api], turn: "two" })).toBeUndefined();
  });

  test("says where certificates come from, before what others say, and takes it back", () => {
    const policy = { subjects: ["their.example"], issuers: [{ module: "zerossl" }] };
    const config = { apps: { tls: { automation: { policies: [policy] } } } };
    const routes = [secure("a.lan", "internal"), secure("b.example.org", "acme"), api];
    const next = withFed(config, { ...base, routes });
    expect(objectOf(objectOf(next).apps).tls).toEqual({
      automation: {
        policies: [
          { "@id": "fed-internal", subjects: ["a.lan"], issuers: [{ module: "internal" }] },
          { "@id": "fed-acme", subjects: ["b.example.org"], issuers: [{ module: "acme", email: "ada@example.org" }] },
          policy,
        ],
      },
    });
    expect(Object.keys(serversOf(next))).toEqual(["fed", "fed-tls"]);
    expect(JSON.stringify(serversOf(next)["fed-tls"])).not.toContain("api.localhost");
    const ids = [...JSON.stringify(withFed(config, { ...base, routes, leaving: ["{a}"] })).matchAll(/"@id":"[^"]*"/g)];
    expect(new Set(ids.map(String)).size, "Caddy refuses an id that is there twice").toBe(ids.length);
    const back = withFed(next ?? null, { ...base, turn: "two" });
    expect(objectOf(objectOf(back).apps).tls).toEqual({ automation: { policies: [policy] } });
    expect(objectOf(objectOf(back).apps).pki ?? {}).toEqual({});
  });
});

test("the same with keys in another order is the same", () => {
  expect(sameJson({ a: 1, b: [{ c: 2, d: null }] }, { b: [{ d: null, c: 2 }], a: 1 })).toBe(true);
  expect(sameJson({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
});

test.each([
  ["listen tcp 127.0.0.1:30001: bind: address already in use", "conflict", "the door of dev/api"],
  ["server fed: listener address repeated: tcp/:80 (already claimed by server 'x')", "invalid", "repeated"],
  ["listening on :80: listen tcp :80: bind: permission denied", "denied", "port 80, for the ingress"],
  ['unknown field "x"', "invalid", "unknown field"],
])("what Caddy says is told in our words: %s", (said, code, words) => {
  const fault = explainRefusal(new Fault("invalid", said), [door]);
  expect(fault.code).toBe(code);
  expect(fault.message).toContain(words);
});

test("the machine's addresses are read from the kernel's tables", () => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 172.18.0.0
        /16 link UNICAST
     |-- 172.18.0.1
        /32 host LOCAL
     |-- 172.18.255.255
        /32 link BROADCAST
fd000000000000000000000000000001 02 40 00 80 eth0
`;
  expect(readAddresses(trie)).toEqual(new Set(["172.18.0.1", "fd00::1"]));
});
