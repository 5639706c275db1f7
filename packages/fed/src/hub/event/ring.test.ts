import fc from "fast-check";
import { expect, test } from "vitest";
import type { FedEvent } from "#wire/event.ts";
import { range } from "./event.scene.ts";
import { openRing } from "./ring.ts";

const eventOf = (sequence: number): FedEvent => ({
  ...{ sequence, atMs: 0, actor: "hub", subject: "machine:a", correlation: "c", hash: "" },
  ...{ type: "machine.removed", data: {} },
});

test("the ring has the newest thousand at least, and answers exactly what follows or that it does not have it", () => {
  const first = fc.integer({ min: 1, max: 10 });
  fc.assert(
    fc.property(first, fc.integer({ min: 1, max: 4_000 }), fc.nat(), fc.nat(600), (begin, count, anywhere, limit) => {
      const ring = openRing();
      const last = begin + count - 1;
      for (const sequence of range(begin, last)) ring.add(eventOf(sequence));
      for (const after of [anywhere % (last + 2), Math.max(0, last - 1_000), last - 1_250, last - 1, last]) {
        const found = ring.after(after, limit)?.map(({ event }) => event.sequence);
        if (found === undefined) expect(after).toBeLessThan(Math.max(begin - 1, last - 1_000));
        else expect(found).toEqual(range(after + 1, last).slice(0, limit));
      }
    }),
  );
});

test("an empty ring has nothing to say", () => {
  expect(openRing().after(0, 10)).toBeUndefined();
});
