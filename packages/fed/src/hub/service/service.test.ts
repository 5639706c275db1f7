import { resolve } from "node:path";
import { build, defineLab, type LabDocument, process, server } from "@fed/lab";
import { expect, test } from "vitest";
import { type ResolvedService, resolveLab } from "./service.ts";

const lab = defineLab({
  name: "ocean",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    api: { run: process(["node", "api.mjs"]) },
    site: { run: build("site", { dockerfile: "Dockerfile.site" }) },
  },
});

function resolved(document: LabDocument, restarts: Readonly<Record<string, number>> = {}): readonly ResolvedService[] {
  return resolveLab(document, {
    folder: "/lab",
    workloads: ["process", "build"],
    doorOf: () => 0,
    restartsOf: (key) => restarts[key] ?? 0,
    absolute: resolve,
  });
}

const specsOf = (services: readonly ResolvedService[]) =>
  Object.fromEntries(services.map((one) => [one.key, one.spec]));

test("a restart makes a new spec for its service alone, and each one another", () => {
  const before = specsOf(resolved(lab));
  const once = specsOf(resolved(lab, { "dev/api": 1 }));
  const twice = specsOf(resolved(lab, { "dev/api": 2 }));
  expect(new Set([before["dev/api"], once["dev/api"], twice["dev/api"]]).size).toBe(3);
  expect(once["dev/site"]).toBe(before["dev/site"]);
});

test("another Dockerfile is another spec", () => {
  const site = resolved(lab).find(({ key }) => key === "dev/site");
  expect(site?.workload).toEqual({ kind: "build", folder: "/lab/site", dockerfile: "Dockerfile.site" });
});
