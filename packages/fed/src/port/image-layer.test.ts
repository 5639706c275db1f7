import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedLayers } from "./image-layer.ts";

describe("the layers that are there", () => {
  it("are those that an image begins with", () => {
    const others = [
      ["a", "x"],
      ["a", "b", "x"],
      ["b", "c"],
    ];
    expect(sharedLayers(["a", "b", "c"], others)).toEqual(["a", "b"]);
    expect(sharedLayers(["a", "b"], [["a", "b", "c"]])).toEqual(["a", "b"]);
    expect(sharedLayers(["c", "a"], others)).toEqual([]);
    expect(sharedLayers(["a", "b", "a", "c"], others)).toEqual(["b"]);
    expect(sharedLayers([], others)).toEqual([]);
    expect(sharedLayers(["a"], [])).toEqual([]);
  });

  it("are never any that the rest of the image needs, and lie below it in one of the others", () => {
    const layers = fc.array(fc.constantFrom<string>("a", "b", "c", "d"), { maxLength: 6 });
    fc.assert(
      fc.property(layers, fc.array(layers, { maxLength: 4 }), (own, others) => {
        const shared = sharedLayers(own, others);
        for (const layer of shared) {
          const last = own.lastIndexOf(layer);
          expect(others.some((other) => own.slice(0, last + 1).every((one, index) => one === other[index]))).toBe(true);
        }
      }),
    );
  });
});
