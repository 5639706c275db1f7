import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutText, guessFormat, type TextPart } from "./sample-text.ts";

async function* chunksOf(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const data = Buffer.from(text);
  for (let at = 0; at < data.length; at += bytes) yield data.subarray(at, at + bytes);
}

async function cut(text: string, chunkBytes: number, partBytes: number) {
  const parts: TextPart[] = [];
  for await (const part of cutText(chunksOf(text, chunkBytes), partBytes)) parts.push(part);
  return parts.map(({ bytes, firstLine, lines }) => ({ text: new TextDecoder().decode(bytes), firstLine, lines }));
}

describe("a text that is cut", () => {
  test("is cut between lines, at the end of each dump, and says which line each part begins with", async () => {
    const text = "# TYPE a counter\na 1 1\n# EOF\nb 1 1\n# EOF";
    const whole = [
      { text: "# TYPE a counter\na 1 1\n", firstLine: 1, lines: 2 },
      { text: "b 1 1\n", firstLine: 4, lines: 1 },
    ];
    expect(await cut(text, 1000, 1000)).toEqual(whole);
    expect((await cut(text, 3, 8)).map(({ firstLine }) => firstLine)).toEqual([1, 2, 4]);
    expect(await cut("", 1, 1)).toEqual([]);
    expect(await cut("a 1 1", 1, 3)).toEqual([{ text: "a 1 1", firstLine: 1, lines: 1 }]);
  });

  test("has every line once, under its number", async () => {
    const line = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("# EOF", "# EOF\r", "# EOFX", "a # EOF"));
    const input = fc.tuple(
      fc.array(line),
      fc.boolean(),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
    );
    await fc.assert(
      fc.asyncProperty(input, async ([lines, ended, chunkBytes, partBytes]) => {
        const text = lines.map((one) => one.replaceAll("\n", " ")).join("\n") + (ended ? "\n" : "");
        const numbered = text.split("\n").map((one, i) => [i + 1, one] as const);
        const found: (readonly [number, string])[] = [];
        for (const part of await cut(text, chunkBytes, partBytes)) {
          const own = part.text.replace(/\n$/, "").split("\n");
          expect(own.length).toBe(part.lines);
          for (const [i, one] of own.entries()) found.push([part.firstLine + i, one]);
        }
        const told = ([, one]: readonly [number, string]) => one !== "" && !/^# EOF\s*$/.test(one);
        expect(found.filter(told)).toEqual(numbered.filter(told));
      }),
    );
  });

  test("may not have a line without end", async () => {
    await expect(cut(`a 1 1\n${"x".repeat(2 ** 21)}`, 2 ** 16, 2 ** 18)).rejects.toMatchObject({
      code: "invalid",
      message: "line 2 is longer than 1024 KiB",
    });
  });
});

test.each([
  ["up 1 1700006400000", "text"],
  ["up 1 1700006400", "openmetrics"],
  ["up 1 1700006400.123", "openmetrics"],
  ["# HELP up x\nup 1\nup 1 1.7e9", "openmetrics"],
  ['{__name__="up", job="a"} 1 1700006400000', "text"],
  ["up 1", undefined],
])("%s is %s", (text, format) => {
  expect(guessFormat({ bytes: new TextEncoder().encode(text), firstLine: 1, lines: 1 })).toBe(format);
});
