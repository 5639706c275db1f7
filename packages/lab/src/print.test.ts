import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { LabDocument } from "./document.ts";
import { readLab } from "./lab.ts";
import { hashLab, printLab } from "./print.ts";

/** Labs without mistakes: as many names as needed, every service after those it needs. */
const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/), { minLength: 1, maxLength: 8 });
const labs = fc
  .tuple(names, names, fc.infiniteStream(fc.nat(1_000)))
  .map(([machines, services, numbers]): LabDocument => {
    const draw = () => numbers.next().value ?? 0;
    return {
      name: "x",
      machines: Object.fromEntries(machines.map((name, i) => [name, { kind: "server", address: `10.0.0.${i}` }])),
      environments: { dev: { machines }, prod: { machines, promoteFrom: "dev" } },
      secrets: { KEY: {} },
      services: Object.fromEntries(
        services.map((name, i) => [
          name,
          {
            run: { kind: "process", command: ["node", `server-${draw()}.js`] },
            needs: services.slice(0, i).filter(() => draw() % 2 === 0),
            env: { LEVEL: { dev: `${draw()}`, default: "☃" }, KEY: { secret: "KEY" } },
            route: { dev: `${name}.localhost` },
            stopGrace: `${draw()}ms`,
            settle: `${draw()}ms`,
          },
        ]),
      ),
    };
  });

function reversed(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

it("prints the same text in whatever order the keys were written", () => {
  fc.assert(
    fc.property(labs, (lab) => {
      expect(printLab(reversed(lab) as LabDocument)).toBe(printLab(lab));
      expect(hashLab(reversed(lab) as LabDocument)).toBe(hashLab(lab));
    }),
  );
});

it("prints what reads as the same lab, and finds nothing wrong in it", () => {
  fc.assert(
    fc.property(labs, (lab) => {
      const reading = readLab(JSON.parse(printLab(lab)));
      expect(reading).toEqual({ lab, diagnostics: [] });
    }),
  );
});

it("tells different labs apart", () => {
  fc.assert(
    fc.property(labs, labs, (a, b) => {
      expect(hashLab(a) === hashLab(b)).toBe(printLab(a) === printLab(b));
    }),
  );
});

it("keeps the order of lists, sorts keys, and hashes exactly what it prints", () => {
  const lab: LabDocument = {
    services: {},
    name: "x",
    machines: { b: { kind: "server", address: "10.0.0.2" }, a: { address: "local", kind: "server" } },
    secrets: {},
    environments: { dev: { machines: ["b", "a"] } },
  };
  expect(printLab(lab).replace(/\s+/g, "")).toBe(
    '{"environments":{"dev":{"machines":["b","a"]}},"machines":{"a":{"address":"local","kind":"server"},"b":{"address":"10.0.0.2","kind":"server"}},"name":"x","secrets":{},"services":{}}',
  );
  expect(hashLab(lab)).toBe(createHash("sha256").update(printLab(lab)).digest("hex"));
});
