import fc from "fast-check";
import { expect, it } from "vitest";
import { findCycles } from "./cycle.ts";

const graphs = fc
  .array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 25 })
  .map(
    (edges) =>
      new Map(
        Array.from({ length: 10 }, (_, i) => [`${i}`, edges.filter(([from]) => from === i).map(([, to]) => `${to}`)]),
      ),
  );

/** Whether a name reaches itself, the slow way. */
function inCycle(graph: ReadonlyMap<string, readonly string[]>, name: string): boolean {
  const reached = new Set(graph.get(name));
  for (const next of reached) for (const further of graph.get(next) ?? []) reached.add(further);
  return reached.has(name);
}

it("finds a real cycle in each knot, and none where there is none", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cycles = findCycles(graph);
      for (const cycle of cycles) {
        cycle.forEach((name, i) => {
          expect(graph.get(name)).toContain(cycle[(i + 1) % cycle.length]);
        });
        expect(new Set(cycle).size).toBe(cycle.length);
      }
      const some = [...graph.keys()].some((name) => inCycle(graph, name));
      expect(cycles.length > 0).toBe(some);
    }),
  );
});
