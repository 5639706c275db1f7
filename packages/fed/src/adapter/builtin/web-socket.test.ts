import fc from "fast-check";
import { expect, test } from "vitest";
import { goodbye, trackFrames } from "./web-socket.ts";

/** A frame as a client or an instance sends it. */
function frame({ sizeBytes, masked, opcode }: { sizeBytes: number; masked: boolean; opcode: number }): Buffer {
  const mask = masked ? [9, 8, 7, 6] : [];
  const bit = masked ? 0x80 : 0;
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(sizeBytes));
  const length =
    sizeBytes < 126 ? [bit | sizeBytes] : sizeBytes < 65_536 ? [bit | 126, ...long.subarray(6)] : [bit | 127, ...long];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length, ...mask]), Buffer.alloc(sizeBytes, 0xff)]);
}

const frames = fc.array(
  fc.record({
    sizeBytes: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(65_535, 65_536)),
    masked: fc.boolean(),
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
  }),
  { minLength: 1, maxLength: 5 },
);

test("it is between frames exactly at their ends, however they are cut into chunks", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 20 }), (all, sizes) => {
      const parts = all.map(frame);
      const ends = new Set<number>([0]);
      let sum = 0;
      for (const part of parts) {
        sum += part.length;
        ends.add(sum);
      }
      const bytes = Buffer.concat(parts);
      const track = trackFrames();
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        at += track.take(bytes.subarray(at, at + size));
        expect(track.between).toBe(ends.has(at));
      }
      expect(track).toMatchObject({ between: true, closed: false });
    }),
    { numRuns: 300 },
  );
});

test("it takes the rest of a frame alone when asked to", () => {
  const [one, two] = [
    frame({ sizeBytes: 200, masked: true, opcode: 1 }),
    frame({ sizeBytes: 3, masked: true, opcode: 1 }),
  ];
  const track = trackFrames();
  track.take(one.subarray(0, 3));
  const rest = Buffer.concat([one.subarray(3), two]);
  expect(track.take(rest, true)).toBe(one.length - 3);
  expect(track.take(rest, true)).toBe(0);
});

test("a close frame is noticed, also one of ours", () => {
  for (const bytes of Object.values(goodbye)) {
    const track = trackFrames();
    track.take(bytes);
    expect(track).toMatchObject({ between: true, closed: true });
  }
});
