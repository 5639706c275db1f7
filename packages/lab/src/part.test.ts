import { describe, expect, it } from "vitest";
import { LabError } from "./diagnostic.ts";
import { assembleLab, defineBase, defineLab, definePart, hashLab, image, isLab, process, server } from "./index.ts";

const props = {
  name: "ocean",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
  secrets: { KEY: {} },
} as const;
const db = { run: image("postgres:17"), port: 5432 } as const;

const base = defineBase(props);
const data = definePart(base, { services: { db } });
const web = definePart(base, {
  uses: [data],
  services: { blog: { run: process("node x"), needs: ["db"], env: { KEY: { secret: "KEY" } } } },
});

function mistakesOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof LabError) return error.diagnostics.map(({ code, path }) => `${code} ${path}`);
    throw error;
  }
  return [];
}

describe("a lab of parts", () => {
  it("is the lab that one file would make", () => {
    const lab = assembleLab(base, [data, web]);
    const same = defineLab({
      ...props,
      services: { db, blog: { run: process("node x"), needs: ["db"], env: { KEY: { secret: "KEY" } } } },
    });
    expect(lab).toEqual(same);
    expect(hashLab(lab)).toBe(hashLab(same));
    expect(isLab(lab)).toBe(true);
    expect(lab.services.blog.needs).toEqual(["db"]);
  });

  it("knows at run time too when a part is missing or comes twice", () => {
    expect(mistakesOf(() => assembleLab(base, [web] as never))).toEqual(["unknown-service services.blog.needs[0]"]);
    expect(mistakesOf(() => assembleLab(base, [data, data] as never))).toEqual(["duplicate services.db"]);
  });

  it("refuses a part of another base", () => {
    const other = definePart(defineBase(props), { services: { cache: { run: image("redis:8") } } });
    expect(mistakesOf(() => assembleLab(base, [data, other]))).toEqual(["foreign-part services"]);
  });

  it("says in which file a wrong service is", () => {
    const bad = definePart(base, { services: { api: { run: process("a | b") } } });
    try {
      assembleLab(base, [bad]);
      expect.unreachable();
    } catch (error) {
      expect((error as LabError).diagnostics).toMatchObject([
        {
          code: "shell-syntax",
          path: "services.api.run.command",
          at: { file: expect.stringMatching(/part\.test\.ts$/) },
        },
      ]);
    }
  });

  it("survives what only JavaScript can write", () => {
    const part = definePart(base, undefined as never);
    expect(mistakesOf(() => assembleLab(base, [part] as never))).toEqual(["wrong-type services"]);
    expect(mistakesOf(() => assembleLab(base, [5, undefined, {}] as never)).length).toBeGreaterThan(0);
    expect(mistakesOf(() => assembleLab(undefined as never, [] as never)).length).toBeGreaterThan(0);
  });
});
