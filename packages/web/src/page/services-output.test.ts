import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendLines, emptyOutput, filterBlocks, markHits, type Output } from "./services-output.ts";

const line = (text: string, instance = "i1") => ({ instance, text });
const many = (count: number, from = 1) => Array.from({ length: count }, (_, index) => line(`line ${from + index}`));
const texts = (output: Output) => output.blocks.flatMap(({ lines }) => lines.map(({ text }) => text));

describe("appending", () => {
  test("a full block is the same object afterwards, so it is not drawn again", () => {
    const before = appendLines(emptyOutput, many(150));
    const after = appendLines(before, many(10, 151));
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]?.lines).toHaveLength(60);
  });

  test("nothing new changes nothing", () => {
    const output = appendLines(emptyOutput, many(3));
    expect(appendLines(output, [])).toBe(output);
  });

  test("however lines come in, the newest are kept, in order, with the numbers they have", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700), { maxLength: 12 }), fc.integer({ min: 1, max: 900 }), (chunks, limit) => {
        let output = emptyOutput;
        let total = 0;
        for (const count of chunks) {
          output = appendLines(output, many(count, total + 1), limit);
          total += count;
        }
        const kept = Math.min(total, limit);
        expect(texts(output)).toEqual(many(kept, total - kept + 1).map(({ text }) => text));
        expect(output).toMatchObject({ size: kept, dropped: total - kept, next: total + 1 });
        for (const { first, lines } of output.blocks) {
          expect(lines.length).toBeLessThanOrEqual(100);
          expect(lines[0]?.number).toBe(first);
          for (const { number, text } of lines) expect(text).toBe(`line ${number}`);
        }
      }),
    );
  });
});

test("a filter leaves the lines with the text, and of the instance", () => {
  const output = appendLines(emptyOutput, [line("GET /a"), line("get /b", "i2"), line("POST /c", "i2")]);
  const found = (text: string, instance = "") =>
    filterBlocks(output.blocks, { text, instance }).flatMap(({ lines }) => lines.map((one) => one.text));
  expect(found("get")).toEqual(["GET /a", "get /b"]);
  expect(found("", "i2")).toEqual(["get /b", "POST /c"]);
  expect(found("post", "i1")).toEqual([]);
  expect(filterBlocks(output.blocks, { text: "", instance: "" })).toBe(output.blocks);
});

describe("hits", () => {
  test.each([
    ["an Error, an error", "error", ["an ", "Error", ", an ", "error", ""]],
    ["nothing", "x", ["nothing"]],
    ["text", "", ["text"]],
    ["aaa", "aa", ["", "aa", "a"]],
    ["İstanbul", "s", ["İstanbul"]],
  ])("in %j of %j", (text, sought, parts) => {
    expect(markHits(text, sought)).toEqual(parts);
  });

  test("put together they are the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "B", "b", "İ") }),
        fc.constantFrom("a", "b", "ab"),
        (text, sought) => {
          expect(markHits(text, sought).join("")).toBe(text);
        },
      ),
    );
  });
});
