import { describe, expect, it } from "vitest";
import { unreachable } from "./unreachable.ts";

type Shape = { readonly kind: "circle" } | { readonly kind: "square" };

describe("unreachable", () => {
  it("does not compile while a case is missing", () => {
    const corners = (shape: Shape) => {
      switch (shape.kind) {
        case "circle":
          return 0;
        default:
          // @ts-expect-error: the square is missing.
          return unreachable(shape);
      }
    };
    expect(corners({ kind: "circle" })).toBe(0);
    expect(() => corners({ kind: "square" })).toThrow("unreachable case: square");
  });

  it("names the case and nothing else of the value", () => {
    expect(() => unreachable({ kind: "login", password: "hunter2" } as never)).toThrow(/^unreachable case: login$/);
    expect(() => unreachable({ password: "hunter2" } as never)).toThrow(/^unreachable case: an object without a kind$/);
    expect(() => unreachable("blue" as never)).toThrow(/^unreachable case: blue$/);
    expect(() => unreachable(10n as never)).toThrow(/^unreachable case: 10$/);
  });
});
