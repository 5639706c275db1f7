import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LabError } from "./diagnostic.ts";
import {
  build,
  checkLab,
  command,
  defineLab,
  http,
  image,
  isLab,
  process,
  readLab,
  server,
  tcp,
  workstation,
} from "./index.ts";
import { plainLab, program } from "./test-lab.ts";

const ocean = () =>
  defineLab({
    name: "ocean",
    machines: { hub: server({ address: "local" }), mbp: workstation({ tailscale: "mbp" }) },
    environments: { dev: { machines: ["hub"] } },
    services: {
      blog: {
        run: process("node 'my server.js'", { folder: "./blog" }),
        health: { dev: command("true"), default: tcp({ every: "2s" }) },
        env: { DB: { service: "db" } },
      },
      db: { run: { default: image("postgres:17"), dev: build("./db") }, port: 5432, health: http("/") },
    },
  });

/** The first error of a lab that is wrong. */
function caught(make: () => unknown): LabError {
  try {
    make();
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  throw new Error("The lab is right.");
}

describe("a right lab", () => {
  it("is a plain document: commands split, secrets there", () => {
    expect(JSON.parse(JSON.stringify(ocean()))).toEqual({
      name: "ocean",
      machines: { hub: { kind: "server", address: "local" }, mbp: { kind: "workstation", tailscale: "mbp" } },
      environments: { dev: { machines: ["hub"] } },
      secrets: {},
      services: {
        blog: {
          run: { kind: "process", command: ["node", "my server.js"], folder: "./blog" },
          health: { dev: { kind: "command", command: ["true"] }, default: { kind: "tcp", every: "2s" } },
          env: { DB: { service: "db" } },
        },
        db: {
          run: { default: { kind: "image", reference: "postgres:17" }, dev: { kind: "build", folder: "./db" } },
          port: 5432,
          health: { kind: "http", path: "/" },
        },
      },
    });
  });

  it("is frozen to its depth, and known as a lab", () => {
    const lab = ocean();
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const inner of Object.values(value)) walk(inner);
    };
    walk(lab);
    expect(isLab(lab)).toBe(true);
    expect(isLab(JSON.parse(JSON.stringify(lab)))).toBe(false);
    expect(isLab(undefined)).toBe(false);
  });

  it("leaves what was written as it was", () => {
    const written = plainLab({ a: { run: { kind: "process", command: "node x" }, owner: undefined } });
    const before = structuredClone(written);
    const { lab } = readLab(written);
    expect(written).toEqual(before);
    expect(Object.isFrozen(written)).toBe(false);
    expect(lab?.services.a).toStrictEqual({ run: { kind: "process", command: ["node", "x"] } });
  });

  it("may have warnings", () => {
    const twin = { hub: { kind: "server", address: "local" }, twin: { kind: "server", address: "local" } };
    const reading = readLab({ name: "x", machines: twin, environments: { dev: { machines: ["hub"] } }, services: {} });
    expect(reading.lab).toBeDefined();
    expect(reading.diagnostics).toMatchObject([{ severity: "warning" }]);
  });
});

describe("a wrong lab", () => {
  const wrong = () =>
    defineLab({
      name: "ocean",
      machines: { hub: server({ address: "me@local" }) },
      environments: { dev: { machines: ["hub"] } },
      services: {
        blog: {
          run: process("node a | b"),
          health: http("/health", { every: "0s" }),
          needs: ["blog"],
        },
        web: {
          run: process("node b"),
          stopGrace: "9h",
          health: tcp({ every: "2h" }),
        },
      },
    });

  it("throws all that is wrong at once", () => {
    const error = caught(wrong);
    expect(error.name).toBe("LabError");
    expect(error.diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "bad-value machines.hub.address",
      "shell-syntax services.blog.run.command",
      "out-of-range services.blog.health.every",
      "out-of-range services.web.health.every",
      "out-of-range services.web.stopGrace",
    ]);
    expect(error.message).toContain("The lab has 5 mistakes:");
    expect(error.message).toContain("services.web.stopGrace: 9h is out of range: 0s to 1h.");
  });

  it("says where: the helper's call, or one beside it", async () => {
    const places = caught(wrong).diagnostics.map(({ at }) => at);
    for (const place of places) expect(place?.file).toMatch(/lab\.test\.ts$/);
    const lines = places.map((place) => place?.line ?? 0);
    const [address = 0, run = 0, every, webEvery = 0, grace] = lines;
    expect(run).toBeGreaterThan(address);
    expect(every).toBe(run + 1);
    expect(webEvery).toBeGreaterThan(run + 2);
    expect(grace).toBe(webEvery - 2); // `stopGrace` has no call of its own: the service's `run` stands for it.
  });

  it("says the column too, and keeps the place out of the document", () => {
    const health = http("/health");
    expect(Reflect.ownKeys(health).sort()).toEqual(["kind", "path"]);
    const [at] = caught(() =>
      defineLab({ ...plainLab({}), machines: { hub: server({ address: "a b" }) } } as never),
    ).diagnostics;
    expect(at?.at?.column).toBeGreaterThan(1);
  });

  it("tells the first twenty in its message and keeps all", () => {
    const services = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`s${i}`, { ...program, prt: 1 }]));
    const error = caught(() => defineLab(plainLab(services) as never));
    expect(error.diagnostics).toHaveLength(50);
    expect(error.message.split("\n")).toHaveLength(22);
    expect(error.message).toContain("… and 30 more");
  });

  it("is told also when reading it throws", () => {
    const bomb = {
      get name(): string {
        throw new Error("boom");
      },
    };
    expect(checkLab(bomb)).toMatchObject([{ code: "wrong-type", message: "Reading the lab failed: boom" }]);
  });
});

it("takes any value without throwing", () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withMap: true, withDate: true, withBigInt: true }), (value) => {
      expect(checkLab(value).length).toBeGreaterThan(0);
      expect(Array.isArray(checkLab(plainLab({ a: { run: value, env: value, health: value, on: value } })))).toBe(true);
      expect(Array.isArray(checkLab({ ...plainLab({}), machines: value, services: { a: value } }))).toBe(true);
    }),
  );
});

it("reads a lab that refers to itself in a circle", () => {
  const services: Record<string, unknown> = {};
  services.a = { run: services, env: services, links: services };
  expect(checkLab(plainLab(services)).length).toBeGreaterThan(0);
});

it("checks a thousand services on twenty machines in well under a second", () => {
  const machines = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`m${i}`, { kind: "server", address: `10.0.0.${i}` }]),
  );
  const environments = { dev: { machines: ["m0"] }, prod: { machines: Object.keys(machines), promoteFrom: "dev" } };
  const services = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [
      `s${i}`,
      {
        ...program,
        needs: i > 1 ? [`s${i - 1}`] : [],
        on: { prod: `m${i % 20}` },
        route: { dev: `s${i}.localhost` },
        env: { A: { dev: "x", default: { secret: "KEY" } } },
      },
    ]),
  );
  const began = performance.now();
  expect(checkLab({ name: "x", machines, environments, secrets: { KEY: {} }, services })).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1_000);
});
