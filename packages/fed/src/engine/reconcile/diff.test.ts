import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diff } from "./diff.ts";
import { readCases, runCase } from "./script.fake.ts";

const folder = join(import.meta.dirname, "script");

for (const file of readdirSync(folder).sort()) {
  describe(file, () => {
    const cases = readCases(readFileSync(join(folder, file), "utf8"));
    test.each(cases.map((one) => [one.name, one] as const))("%s", (_name, one) => {
      expect(`\n${runCase(one).join("\n")}\n`).toBe(`\n${one.expected.join("\n")}\n`);
    });
  });
}

const noHash = { hash: (text: string) => text, nowMs: 0 };
const wish = (key: string, needs: readonly string[] = []) => ({ key, spec: "a", fields: {}, replicas: 1, needs });

test("refuses services that need each other in a circle", () => {
  const services = [wish("prod/a", ["prod/b"]), wish("prod/b", ["prod/a"])];
  expect(() => diff({ hash: "", services, earlier: {} }, { instances: [] }, noHash)).toThrow(
    "services need each other: prod/a → prod/b → prod/a",
  );
});

test("refuses a service that is wanted twice", () => {
  const services = [wish("prod/a"), wish("prod/a")];
  expect(() => diff({ hash: "", services, earlier: {} }, { instances: [] }, noHash)).toThrow("wanted twice");
});
