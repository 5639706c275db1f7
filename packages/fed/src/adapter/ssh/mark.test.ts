import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeMarkReader } from "./mark.ts";

const mark = "abab5c";

function reading() {
  const heard: string[] = [];
  const reader = makeMarkReader(
    (bytes) => heard.push(bytes.toString("latin1")),
    (rest) => heard.push(`<${rest}>`),
  );
  reader.expect(mark);
  return { heard, reader };
}

describe("the reader of marks", () => {
  it("finds them behind and between bytes, however these are cut", () => {
    const part = fc.string({ unit: fc.constantFrom(..."ab5c\n\0\xff") }).filter((text) => !text.includes(mark));
    const told = fc.array(fc.tuple(part, fc.constantFrom("run 12", "end 0", "")), { maxLength: 5 });
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(told, part, cuts, (said, last, sizes) => {
        const { heard, reader } = reading();
        // A part that ends as the mark begins would be read as another one, by anybody.
        const text = [...said.map(([bytes, rest]) => `${bytes}\n${mark} ${rest}\n`), `${last}\n`].join("");
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          reader.push(Buffer.from(text.slice(at, at + size), "latin1"));
          at += size;
        }
        const expected = [...said.map(([bytes, rest]) => `${bytes}\n<${rest}>`), `${last}\n`].join("");
        expect(heard.join("")).toBe(expected);
      }),
    );
  });

  it("keeps little, and gives up on a line without end", () => {
    const { heard, reader } = reading();
    reader.push(Buffer.alloc(10_000_000, "a"));
    expect(heard.join("").length).toBeGreaterThan(10_000_000 - mark.length);
    expect(() => reader.push(Buffer.from(`${mark} ${"x".repeat(100)}`))).toThrow("our script does not");
  });
});
