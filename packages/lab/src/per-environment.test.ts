import { describe, expect, it } from "vitest";
import type { PerEnvironment } from "./document.ts";
import { valueIn } from "./per-environment.ts";

describe("the value in an environment", () => {
  it.each([
    ["a text", "info"],
    ["a number", 0],
    ["false", false],
    ["a list", ["hub"]],
    ["a run", { kind: "process", command: ["x"] }],
    ["a secret", { secret: "DB" }],
    ["a secret as a file", { secretFile: "DB" }],
    ["a service", { service: "db" }],
  ])("%s is the same everywhere", (_, value) => {
    expect(valueIn(value as PerEnvironment<unknown>, "dev")).toBe(value);
  });

  it("is the map's own entry, else the default, else nothing", () => {
    const level: PerEnvironment<string> = { dev: "debug", default: "info" };
    expect(valueIn(level, "dev")).toBe("debug");
    expect(valueIn(level, "prod")).toBe("info");
    expect(valueIn<string>({ dev: "debug" }, "prod")).toBeUndefined();
    expect(valueIn<string>(undefined, "prod")).toBeUndefined();
  });

  it("keeps zero and the empty text", () => {
    expect(valueIn<number>({ dev: 0, default: 1 }, "dev")).toBe(0);
    expect(valueIn<string>({ dev: "", default: "x" }, "dev")).toBe("");
  });

  it("looks at own keys only", () => {
    expect(valueIn<string>({ dev: "x" }, "constructor")).toBeUndefined();
    expect(valueIn<string>({ default: "x" }, "toString")).toBe("x");
  });
});
