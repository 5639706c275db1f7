import { describe, expect, it } from "vitest";
import { checkLab } from "../lab.ts";
import { plainLab, program, wordsOf, wrongWith } from "../test-lab.ts";

describe("cycles", () => {
  it("shows a cycle in needs as it goes round", () => {
    const lab = plainLab({
      a: { ...program, needs: ["b"] },
      b: { ...program, needs: ["c"] },
      c: { ...program, needs: ["a"] },
    });
    expect(checkLab(lab)).toMatchObject([{ code: "needs-cycle", path: "services.a.needs[0]" }]);
    expect(wordsOf(lab)[0]).toContain("a → b → c → a");
  });

  it("sees what a reference implies", () => {
    const services = {
      a: { ...program, needs: ["b"] },
      b: { ...program, env: { URL: { service: "a" } } },
    };
    expect(wrongWith(services)).toEqual(["needs-cycle services.a.needs[0]"]);
    expect(wrongWith({ b: services.b, a: services.a })).toEqual(["needs-cycle services.b.env.URL.service"]);
  });

  it("sees one that is there in a single environment", () => {
    const services = (environment: string) => ({
      a: { ...program, needs: ["b"] },
      b: { ...program, env: { URL: { [environment]: { service: "a" }, default: "http://elsewhere" } } },
    });
    expect(wrongWith(services("prod"))).toEqual(["needs-cycle services.a.needs[0]"]);
    expect(wrongWith({ a: { ...program, needs: ["b"], in: ["dev"] }, b: { ...services("prod").b } })).toContain(
      "not-in-environment services.b.env.URL.prod.service",
    );
  });

  it("reports each knot once, and a service that needs itself", () => {
    const services = {
      a: { ...program, needs: ["b"] },
      b: { ...program, needs: ["a"] },
      c: { ...program, needs: ["c"] },
      d: { ...program, needs: ["a"] },
    };
    expect(wrongWith(services)).toEqual(["needs-cycle services.a.needs[0]", "needs-cycle services.c.needs[0]"]);
  });

  it("lets a variable hold the service's own address", () => {
    expect(wrongWith({ a: { ...program, env: { OWN_URL: { service: "a" } } } })).toEqual([]);
  });

  it("lets diamonds and long chains be", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`s${i}`, i === 0 ? program : { ...program, needs: [`s${i - 1}`] }]),
    );
    expect(wrongWith(chain)).toEqual([]);
    const diamond = { a: program, b: { ...program, needs: ["a"] }, c: { ...program, needs: ["a"] } };
    expect(wrongWith({ ...diamond, d: { ...program, needs: ["b", "c"] } })).toEqual([]);
  });
});

describe("presence", () => {
  it("reports what is needed where it does not run", () => {
    const lab = plainLab({ web: { ...program, needs: ["db"] }, db: { ...program, in: ["prod"] } });
    expect(checkLab(lab)).toMatchObject([{ code: "not-in-environment", path: "services.web.needs[0]" }]);
    expect(wordsOf(lab)[0]).toBe(
      'It needs db in dev, where db does not run. Add "dev" to services.db.in, or keep web out of dev.',
    );
  });

  it("reports a reference to what does not run there", () => {
    const services = { web: { ...program, env: { DB: { service: "db" } } }, db: { ...program, in: ["prod"] } };
    expect(wrongWith(services)).toEqual(["not-in-environment services.web.env.DB.service"]);
  });

  it("is content when both run there", () => {
    const db = { ...program, in: ["prod"] };
    expect(wrongWith({ web: { ...program, in: ["prod"], needs: ["db"] }, db })).toEqual([]);
    expect(wrongWith({ web: { ...program, env: { DB: { prod: { service: "db" }, dev: "none" } } }, db })).toEqual([]);
  });
});

describe("run", () => {
  const { run } = program;

  it("reports an environment without a way to run", () => {
    expect(wrongWith({ web: { run: { dev: run } } })).toEqual(["no-run services.web.run"]);
  });

  it("is content with a default, or where the service does not run", () => {
    expect(wrongWith({ web: { run: { dev: run, default: run } } })).toEqual([]);
    expect(wrongWith({ web: { run: { dev: run }, in: ["dev"] } })).toEqual([]);
  });
});
