import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Frame, readFrames } from "./frame.ts";
import { parsePlace, parseTime, placeText, readPlacedLines } from "./line.ts";

function frame({ stream, bytes }: Frame): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream === "stderr" ? 2 : 1;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

async function all<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

const written = (text: string, stream: Frame["stream"] = "stdout"): Frame => ({ stream, bytes: Buffer.from(text) });

describe("frames", () => {
  test("come out as they went in, however the connection cuts them", async () => {
    const frames = fc.array(
      fc.record({
        stream: fc.constantFrom("stdout" as const, "stderr" as const),
        bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(frames, fc.array(fc.integer({ min: 1, max: 30 })), async (sent, cuts) => {
        let rest = Buffer.concat(sent.map(frame));
        const chunks = cuts.map((length) => {
          const chunk = rest.subarray(0, length);
          rest = rest.subarray(length);
          return chunk;
        });
        const got = await all(readFrames(each([...chunks, rest])));
        expect(got.map(frame)).toEqual(sent.map(frame));
      }),
    );
  });

  test("are told from what is none", async () => {
    await expect(all(readFrames(each([Buffer.from("plain text of a terminal")])))).rejects.toMatchObject({
      code: "unreachable",
    });
  });
});

describe("lines", () => {
  const at = "2026-11-21T17:38:44.123456789Z";

  test("are counted within a moment, which an engine may tell to the second only", async () => {
    const second = "2026-11-21T18:38:45+01:00";
    const frames = [`${at} a\n`, `${second} b c\n`, `${second} \n`, `${second} d\r\n`].map((text) => written(text));
    const lines = await all(readPlacedLines(each(frames), true));
    expect(lines.map((line) => [placeText(line), line.text])).toEqual([
      ["1795282724123456789/0", "a"],
      ["1795282725000000000/0", "b c"],
      ["1795282725000000000/1", ""],
      ["1795282725000000000/2", "d"],
    ]);
  });

  test("are put together from their parts, each with a time of its own, on each stream", async () => {
    const frames = [
      ...[written(`${at} one `), written(`${at} other `, "stderr"), written(`${at} line\n`)],
      ...[written(`${at} err\n`, "stderr"), written(`${at} no end`)],
    ];
    const read = async (rest: boolean) => (await all(readPlacedLines(each(frames), rest))).map(({ text }) => text);
    expect(await read(true)).toEqual(["one line", "other err", "no end"]);
    expect(await read(false)).toEqual(["one line", "other err"]);
  });

  test("are cut when they are too long, not in the middle of a character", async () => {
    const [line] = await all(readPlacedLines(each([written(`${at} ${"a".repeat(65_535)}üx\n`)]), true));
    expect(line?.text).toBe(`${"a".repeat(65_535)} … [2 more bytes in this line]`);
  });

  test("tell a place that can be read back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 18n, max: 10n ** 19n - 1n }), fc.nat(1_000), (timeNs, nth) => {
        expect(parsePlace(placeText({ timeNs, nth }))).toEqual({ timeNs, nth });
      }),
    );
    for (const text of ["", "1", "1/2", "x/1", "1795282724123456789", "1795282724123456789/-1"])
      expect(parsePlace(text)).toBeUndefined();
    expect(parseTime("2026-11-21T17:38:44.5Z")).toBe(1795282724500000000n);
    expect(parseTime("never")).toBe(0n);
  });
});
