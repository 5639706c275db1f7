import fc from "fast-check";
import { expect, test } from "vitest";
import { type Flight, Upstream } from "./upstream.ts";

const makeUpstream = () => new Upstream({ instance: "a", host: "127.0.0.1", port: 1 });

test("whatever comes and goes in whatever order, what is in flight is counted and cut, and nothing else", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (moves) => {
      const upstream = makeUpstream();
      const cut = new Set<Flight>();
      const flights = Array.from({ length: 10 }, () => {
        const flight: Flight = { seat: -1, cut: () => void cut.add(flight) };
        return flight;
      });
      const open = new Set<Flight>();
      for (const [enters, which] of moves) {
        const flight = flights[which] as Flight;
        if (!enters) upstream.leave(flight);
        else if (!open.has(flight)) upstream.enter(flight);
        if (enters) open.add(flight);
        else open.delete(flight);
        expect(upstream.inFlight).toBe(open.size);
      }
      upstream.cut();
      expect(cut).toEqual(open);
    }),
  );
});

test("who waits for it to be idle is woken once, unless it gave up", () => {
  const upstream = makeUpstream();
  const flight: Flight = { seat: -1, cut: () => {} };
  const woken: string[] = [];
  upstream.whenIdle(() => woken.push("at once"));
  upstream.enter(flight);
  upstream.whenIdle(() => woken.push("later"));
  upstream.whenIdle(() => woken.push("never"))();
  expect(woken).toEqual(["at once"]);
  upstream.leave(flight);
  upstream.enter(flight);
  upstream.leave(flight);
  expect(woken).toEqual(["at once", "later"]);
});
