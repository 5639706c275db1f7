import { describe, expect, it } from "vitest";
import { checkLab, hashLab, isLab, type LabDocument, machineOf, printLab, readLab } from "./index.ts";

const folder = new URL("../../../examples/", import.meta.url);

async function load(name: string): Promise<LabDocument> {
  const { default: lab } = (await import(new URL(`${name}/lab.ts`, folder).href)) as { default: LabDocument };
  return lab;
}

describe.each(["starter", "family", "home", "slice"])("the example %s", (name) => {
  it("is a lab in which nothing is wrong", async () => {
    const lab = await load(name);
    expect(isLab(lab)).toBe(true);
    expect(checkLab(lab)).toEqual([]);
    expect(Object.isFrozen(lab.services)).toBe(true);
  });

  it("is the same lab once printed and read again", async () => {
    const lab = await load(name);
    const again = readLab(JSON.parse(printLab(lab))).lab;
    expect(again).toEqual(lab);
    expect(again && hashLab(again)).toBe(hashLab(lab));
  });
});

it("the starter has a site that calls an API, and both start quickly", async () => {
  const { services } = await load("starter");
  expect(services.site?.env?.API_URL).toEqual({ service: "api" });
  expect(services.api?.health).toMatchObject({ kind: "http", every: "200ms" });
});

it("the family promotes from dev to staging to prod", async () => {
  const lab = await load("family");
  expect(lab.environments.staging?.promoteFrom).toBe("dev");
  expect(lab.environments.prod).toMatchObject({ promoteFrom: "staging", approval: true });
  expect(machineOf(lab, "web", "prod")).toBe("cellar1");
});

it("the home has fifteen services and more", async () => {
  const { services } = await load("home");
  expect(Object.keys(services).length).toBeGreaterThanOrEqual(15);
  for (const service of Object.values(services)) expect(service.run).toMatchObject({ kind: "image" });
});
