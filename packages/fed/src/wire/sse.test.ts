import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeSse, readSse, sseHeartbeat } from "./sse.ts";

async function readAll(chunks: readonly Uint8Array[]) {
  const frames = [];
  for await (const frame of readSse(
    (async function* () {
      yield* chunks;
    })(),
  ))
    frames.push(frame);
  return frames;
}

const bytes = (text: string) => new TextEncoder().encode(text);

function cutAt(whole: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, i) => whole.subarray(places[i], end));
}

const line = fc.string({ unit: "binary", maxLength: 20 }).filter((text) => text.isWellFormed() && !/[\r\n]/.test(text));

test("whatever is written is read again, however the bytes are cut and the lines end", async () => {
  const frame = fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 4 }), id: fc.option(fc.nat()) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 8 }),
      fc.constantFrom("\n", "\r", "\r\n"),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.boolean(),
      async (frames, end, cuts, mark) => {
        const written = frames.map(({ lines, id }) => encodeSse(lines.join("\n"), id ?? undefined) + sseHeartbeat);
        const text = (mark ? "\uFEFF" : "") + written.join("").replaceAll("\n", end);
        let last = "";
        const wanted = frames.map(({ lines, id }) => {
          if (id !== null) last = String(id);
          return { id: last, data: lines.join("\n") };
        });
        expect(await readAll(cutAt(bytes(text), cuts))).toEqual(wanted);
      },
    ),
    { numRuns: 500 },
  );
});

test("data cannot end its frame or begin a field", async () => {
  for (const data of ["a\n\nid: 9\ndata: b", "a\r\rid: 9", "a\r\n\r\nevent: x", "id: 9"]) {
    const [frame, ...more] = await readAll([bytes(encodeSse(data, 1))]);
    expect(frame).toEqual({ id: "1", data: data.replaceAll(/\r\n|\r/g, "\n") });
    expect(more).toEqual([]);
  }
});

test.each<[what: string, text: string, frames: readonly unknown[]]>([
  ["a frame cut off at the end is dropped", "data: a\n\ndata: b\n", [{ id: "", data: "a" }]],
  ["a comment is no frame", ": hello\n\n:\n\n", []],
  ["a frame without data is none, but its id stays", "id: 4\n\ndata: a\n\n", [{ id: "4", data: "a" }]],
  [
    "an id with NUL does not count",
    "id: 4\ndata: a\n\nid: 5\0\ndata: b\n\n",
    [
      { id: "4", data: "a" },
      { id: "4", data: "b" },
    ],
  ],
  [
    "an id can be taken back",
    "id: 4\ndata: a\n\nid\ndata: b\n\n",
    [
      { id: "4", data: "a" },
      { id: "", data: "b" },
    ],
  ],
  ["a field without a colon is empty", "data\ndata\n\n", [{ id: "", data: "\n" }]],
  ["only one space is taken off", "data:  a\n\n", [{ id: "", data: " a" }]],
  ["without a space", "data:a:b\n\n", [{ id: "", data: "a:b" }]],
  ["event and retry are passed over", "event: x\nretry: 1\ndata: a\n\n", [{ id: "", data: "a" }]],
])("%s", async (_what, text, frames) => {
  expect(await readAll([bytes(text)])).toEqual(frames);
  expect(await readAll([...bytes(text)].map((byte) => Uint8Array.of(byte)))).toEqual(frames);
});

test("a line or frame without end is refused instead of kept", async () => {
  const megabyte = bytes("x".repeat(1024 * 1024));
  await expect(readAll([bytes("data: "), ...Array(9).fill(megabyte)])).rejects.toThrow("a line of the stream");
  const lineful = bytes(`data: ${"x".repeat(1024 * 1024)}\n`);
  await expect(readAll(Array(9).fill(lineful))).rejects.toThrow("a frame of the stream");
});
