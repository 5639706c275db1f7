import { expect, test } from "vitest";
import { type LiveRoute, pickUpstream } from "./route.ts";
import { Upstream } from "./upstream.ts";

function makeRoute(...loads: readonly number[]): LiveRoute {
  const upstreams = loads.map((load, i) => {
    const upstream = new Upstream({ instance: `i${i}`, host: "127.0.0.1", port: 1 });
    for (let n = 0; n < load; n++) upstream.enter({ seat: -1, cut: () => {} });
    return upstream;
  });
  return { service: "dev/api", door: undefined, upstreams, turn: 0 };
}
const pick = (route: LiveRoute, tried: readonly Upstream[] = [], tickMs = 0) =>
  pickUpstream(route, tried, tickMs)?.target.instance;

test("the one with the least in flight is chosen", () => {
  const route = makeRoute(3, 1, 2);
  expect([pick(route), pick(route), pick(route)]).toEqual(["i1", "i1", "i1"]);
});

test("equals take turns", () => {
  const route = makeRoute(0, 0, 0);
  expect([pick(route), pick(route), pick(route), pick(route)]).toEqual(["i0", "i1", "i2", "i0"]);
});

test("one that was tried is not chosen again, and there may be none left", () => {
  const route = makeRoute(0, 5);
  expect(pick(route, route.upstreams.slice(0, 1))).toBe("i1");
  expect(pick(route, route.upstreams)).toBeUndefined();
  expect(pick(makeRoute())).toBeUndefined();
});

test("one that could not be reached is the last choice for a while", () => {
  const route = makeRoute(0, 5);
  const [failed] = route.upstreams;
  if (failed) failed.avoidUntilMs = 1000;
  expect(pick(route, [], 999)).toBe("i1");
  expect(pick(route, route.upstreams.slice(1), 999)).toBe("i0");
  expect(pick(route, [], 1000)).toBe("i0");
});
