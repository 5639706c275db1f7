import { resolve } from "node:path";
import { build, defineLab, http, image, type LabDocument, process, server } from "@fed/lab";
import { expect, test } from "vitest";
import { type Place, resolveLab } from "./resolve.ts";
import type { ResolvedService } from "./service.ts";

const place: Place = {
  folder: "/lab",
  doorOf: () => undefined,
  secretVersion: () => 0,
  absolute: resolve,
};

function byKey(document: LabDocument, more: Partial<Place> = {}): Readonly<Record<string, ResolvedService>> {
  return Object.fromEntries(resolveLab(document, { ...place, ...more }).map((one) => [one.key, one]));
}

const base = {
  name: "ocean",
  machines: { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) },
  environments: { dev: { machines: ["hub", "node5"] } },
} as const;

const stage = defineLab({
  ...base,
  secrets: { KEY: {} },
  services: {
    web: {
      run: process("node web.mjs"),
      env: { API: { service: "api" }, DB: { service: "db" } },
      volumes: { files: {} },
    },
    api: {
      run: build("api", { dockerfile: "Dockerfile.api" }),
      port: 8080,
      hostPort: 8081,
      health: http("/health"),
      env: { DB: { service: "db" }, KEY: { secret: "KEY" } },
      volumes: { data: { at: "/data" }, photos: { at: "/photos", host: "/srv/photos", readOnly: true } },
    },
    db: { run: image("postgres:17"), port: 5432 },
    cache: { run: image("valkey/valkey:8"), port: 6379, on: "node5" },
    worker: {
      run: image("worker:1"),
      on: "node5",
      volumes: { code: { at: "/code", readOnly: true } },
      env: { CACHE: { service: "cache" } },
    },
    lost: { run: image("worker:1"), on: "node5", env: { API: { service: "api" } } },
    far: { run: process("node far.mjs"), on: "node5" },
  },
});

const doorOf = (key: string) => ({ "dev/api": 30_001, "dev/db": 30_002, "dev/cache": 30_003 })[key];

test("a service finds another one at the address that is right from where it runs", () => {
  const all = byKey(stage, { doorOf });
  const textOf = (key: string, name: string) => {
    const source = all[key]?.variables[name];
    return source?.kind === "text" ? source.text : undefined;
  };
  expect(textOf("dev/web", "API")).toBe("http://127.0.0.1:30001");
  expect(textOf("dev/web", "DB")).toBe("127.0.0.1:30002");
  expect(textOf("dev/api", "DB")).toBe("host.fed.internal:30002");
  expect(textOf("dev/worker", "CACHE")).toBe("cache:6379");
  expect(all["dev/worker"]?.unsupported).toBeUndefined();
  expect(all["dev/lost"]?.unsupported).toBe(
    "it refers to api, which is on hub: what runs on node5 finds only services of node5",
  );
  expect(all["dev/api"]?.door).toEqual({ port: 30_001, protocol: "http" });
  expect(all["dev/web"]?.needs).toEqual(["dev/api", "dev/db"]);
});

test("a container is told its ports, its volumes and the machine it is on", () => {
  const { "dev/api": api, "dev/cache": cache, "dev/web": web } = byKey(stage);
  expect(api?.container).toEqual({
    port: 8080,
    hostPort: 8081,
    mounts: [
      { kind: "volume", name: "fed_ocean_dev_api_data", target: "/data", readOnly: false },
      { kind: "folder", path: "/srv/photos", target: "/photos", readOnly: true },
    ],
    hosts: { "host.fed.internal": "host-gateway" },
  });
  expect([api?.port, api?.volumes]).toEqual([undefined, []]);
  expect(cache?.container).toEqual({ port: 6379, mounts: [], hosts: {} });
  expect(web?.container).toBeUndefined();
  expect(web?.volumes).toEqual([{ name: "files", variable: "VOLUME_FILES", host: undefined }]);
  expect(api?.workload).toEqual({ kind: "build", folder: "/lab/api", dockerfile: "Dockerfile.api" });
});

test("what cannot run is told from what must stop first, in plain words", () => {
  const all = byKey(stage);
  expect(all["dev/far"]?.unsupported).toMatch(/^it is a process on node5, and fed runs processes on its own machine/);
  expect(all["dev/cache"]?.unsupported).toBeUndefined();
  expect(all["dev/api"]?.stopFirst).toBe("it listens on port 8081 of the machine, which only one instance can have");
  expect(all["dev/api"]?.exclusive).toEqual(["hostPort", "volumes.data"]);
  expect(all["dev/api"]?.exclusive?.filter((name) => all["dev/api"]?.fields[name] === undefined)).toEqual([]);
  expect(all["dev/web"]?.exclusive?.filter((name) => all["dev/web"]?.fields[name] === undefined)).toEqual([]);
  expect(all["dev/db"]?.stopFirst).toBeUndefined();
  expect(all["dev/web"]?.stopFirst).toBe('it keeps data in volume "files", which only one instance may write');
  expect(all["dev/worker"]?.stopFirst).toBeUndefined();
});

const api = { run: image("api:1"), port: 80 } as const;
const labWith = (service: object) =>
  defineLab({ ...base, secrets: { KEY: {} }, services: { api: { ...api, ...service } } } as never) as LabDocument;
const one = (service: object, more: Partial<Place> = {}) => byKey(labWith(service), more)["dev/api"];

test.each<[string, object, "spec and wish" | "wish" | "neither"]>([
  ["its image", { run: image("api:2") }, "spec and wish"],
  ["its machine", { on: "node5" }, "spec and wish"],
  ["its port", { port: 81 }, "spec and wish"],
  ["its host port", { hostPort: 81 }, "spec and wish"],
  ["a volume", { volumes: { data: { at: "/data" } } }, "spec and wish"],
  ["a variable", { env: { A: "b" } }, "spec and wish"],
  ["its memory", { memory: "1GiB" }, "spec and wish"],
  ["its route", { route: "api.localhost" }, "wish"],
  ["its grace", { stopGrace: "1m" }, "wish"],
  ["how long it is watched", { settle: "1m" }, "wish"],
  ["its replicas", { replicas: 3 }, "neither"],
  ["its owner", { owner: "anne" }, "neither"],
])("another word of the lab about %s makes another wish where it means one", (_, service, expected) => {
  const [before, after] = [one({}), one(service)];
  const changed = { spec: before?.spec !== after?.spec, wish: before?.wish !== after?.wish };
  expect(changed).toEqual({ spec: expected === "spec and wish", wish: expected !== "neither" });
});

test("a new version of a secret is another wish, and its version is named", () => {
  const keyed = { env: { KEY: { secret: "KEY" }, KEY_FILE: { secretFile: "KEY" } } };
  const [file, first, second] = [0, 1, 2].map((version) => one(keyed, { secretVersion: () => version }));
  expect(file?.variables).toEqual({
    KEY: { kind: "secret", name: "KEY" },
    KEY_FILE: { kind: "secretFile", name: "KEY" },
  });
  expect(second?.variables.KEY).toEqual({ kind: "secret", name: "KEY", version: 2 });
  expect(new Set([file?.wish, first?.wish, second?.wish]).size).toBe(3);
});
