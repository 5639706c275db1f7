import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { IngressRoute, RouteTarget } from "#port/ingress.ts";
import {
  type Board,
  emptyBoard,
  generationFile,
  type Lane,
  laneExpression,
  lanes,
  lineId,
  readBoard,
  routesNow,
  seat,
  seatsFor,
  settingFile,
  settingName,
} from "./board.ts";
import { inFlightOf, planSwitch } from "./plan.ts";
import { seatKey } from "./route.ts";

const target = (instance: string, port: number): RouteTarget => ({ instance, host: "127.0.0.1", port });
const route = (host: string, ...targets: readonly RouteTarget[]): IngressRoute => ({
  match: { kind: "host", host },
  service: `dev/${host}`,
  targets,
});

/** What Caddy makes of the switchboard: who is in the seats of the line, by the lane whose expression the first name matches. */
function asCaddyReads(files: ReadonlyMap<string, string>, id: string, seats: number) {
  const name = [...files.keys()]
    .filter((path) => path.startsWith(`${id}/`))
    .map((path) => path.slice(id.length + 1))
    .toSorted()[0];
  for (const lane of lanes) {
    const [, ...dials] = new RegExp(laneExpression(lane, seats)).exec(name ?? "") ?? [];
    if (dials.length > 0) return { lane, dials };
  }
  return undefined;
}

describe("names", () => {
  test("a host's line does not depend on how the name is written, and no two names share one", () => {
    expect(lineId(route("API.localhost."))).toBe("host-api_localhost");
    const ids = ["a.b", "a_b", "a-b", "*.b", "a_46_b"].map((host) => lineId(route(host)));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9_-]+$/);
  });

  test("the newest setting is the first by name", () => {
    const names = [3, 12, 100_000].map((generation) => settingName({ generation, lane: "a", seats: [target("x", 1)] }));
    expect(names.toSorted()).toEqual(names.toReversed());
  });

  test("what no file can be called is refused", () => {
    const far = { instance: "x", host: "a".repeat(60), port: 1 };
    expect(() => settingName({ generation: 1, lane: "a", seats: seat([far], 6) })).toThrow("cannot hold the addresses");
    const odd = { instance: "x", host: "my_host", port: 1 };
    expect(() => settingName({ generation: 1, lane: "a", seats: seat([odd], 6) })).toThrow("my_host:1");
    expect(() => seatsFor([route("a", ...Array.from({ length: 25 }, (_, i) => target(`${i}`, i)))])).toThrow("24");
  });

  test("an IPv6 address is written as Caddy dials it", () => {
    const name = settingName({ generation: 0, lane: "b", seats: [{ instance: "x", host: "fd00::1", port: 80 }] });
    expect(name).toBe("999999999_b_[fd00::1]:80");
    expect(new RegExp(laneExpression("b", 1)).exec(`/${name}`)?.[1]).toBe("[fd00::1]:80");
  });
});

test("a switchboard with nonsense on it is read as far as it makes sense", () => {
  const good = settingFile("host-a", { generation: 4, lane: "c", seats: [target("x", 1)] });
  const files = [
    ...[good, generationFile(3, [route("a")]), { path: "host-a/README", text: "hello" }],
    ...[
      { path: "host-a/999999990_a_x", text: "{" },
      { path: "lost+found", text: "{}" },
    ],
  ];
  const board = readBoard(files);
  // A switch that was broken off counts: the next one has to be newer.
  expect(board.generation).toBe(4);
  expect(routesNow(board)).toEqual([route("a", target("x", 1))]);
});

describe("whatever is switched in whatever order", () => {
  const hosts = ["a.localhost", "b.localhost", "c.localhost"];
  const wish = fc.uniqueArray(
    fc.record({
      host: fc.constantFrom(...hosts),
      targets: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 13 }),
    }),
    { selector: ({ host }) => host },
  );
  const step = fc.record({
    wish,
    /** Lanes in which something stays in flight. */
    busy: fc.array(fc.record({ host: fc.constantFrom(...hosts), lane: fc.constantFrom(...lanes), at: fc.nat(5) }), {
      maxLength: 3,
    }),
    /** The hub forgets everything and reads the switchboard. */
    forgets: fc.boolean(),
  });

  test("Caddy reads what was asked for, and what is in flight is counted for who has it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const files = new Map<string, string>();
        let board: Board = emptyBoard;
        let seats = 6;
        for (const { wish: wanted, busy, forgets } of steps) {
          const routes = wanted.map(({ host, targets }) =>
            route(host, ...targets.map((n) => target(`i${n}`, 1000 + n))),
          );
          const counts = new Map(busy.map(({ host, lane, at }) => [seatKey(lineId(route(host)), lane as Lane, at), 1]));
          const before = inFlightOf(board, counts);
          seats = Math.max(seats, seatsFor(routes));
          const plan = planSwitch(board, routes, seats, counts);
          for (const { path, text } of plan.before) files.set(path, text);
          // The configuration has that many seats now, and what was served still is.
          for (const { match, targets } of routesNow(board)) {
            const id = lineId({ match });
            if (targets.length === 0 || !routes.some((one) => lineId(one) === id)) continue;
            const dials = asCaddyReads(files, id, seats)?.dials ?? [];
            expect(new Set(dials)).toEqual(new Set(targets.map(({ port }) => `127.0.0.1:${port}`)));
          }
          for (const { path, text } of plan.switches) files.set(path, text);
          for (const path of plan.drop) files.delete(path);
          board = forgets ? readBoard([...files].map(([path, text]) => ({ path, text }))) : plan.board;
          expect(routesNow(board)).toEqual(routes);
          expect(board.generation).toBe(plan.generation);
          for (const one of routes) {
            const read = asCaddyReads(files, lineId(one), seats);
            expect(new Set(read?.dials)).toEqual(new Set(one.targets.map(({ port }) => `127.0.0.1:${port}`)));
          }
          // Nobody's requests are forgotten, unless every other lane of the line was busy.
          const after = inFlightOf(board, counts);
          if (busy.length < 3)
            for (const [instance, count] of Object.entries(before)) expect(after[instance]).toBe(count);
        }
      }),
    );
  });

  test("what does not change is not written", () => {
    const routes = [route("a.localhost", target("x", 1)), route("b.localhost")];
    const first = planSwitch(emptyBoard, routes, 6, new Map());
    const second = planSwitch(first.board, routes, 6, new Map());
    expect(second.before).toEqual([]);
    expect(second.switches.map(({ path }) => path.split("/")[0])).toEqual(["now"]);
    expect(second.leaving).toEqual([]);
  });
});
