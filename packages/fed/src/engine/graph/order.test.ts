import fc from "fast-check";
import { expect, test } from "vitest";
import { type GraphNode, order } from "./order.ts";

/** "c: a b" is a node c after a and b. */
const nodes = (text: string): GraphNode[] =>
  text.split("\n").map((line) => {
    const [id = "", after = ""] = line.split(":");
    return { id: id.trim(), after: after.split(" ").filter((word) => word !== "") };
  });

test("lays nodes in layers, sorted, each after all it waits for", () => {
  const text = "web: api site\napi: db\nsite:\ndb:\nmail:";
  expect(order(nodes(text))).toEqual({ kind: "ordered", layers: [["db", "mail", "site"], ["api"], ["web"]] });
  expect(order([])).toEqual({ kind: "ordered", layers: [] });
});

test("waiting twice for the same node is waiting for it once", () => {
  expect(
    order([
      { id: "a", after: [] },
      { id: "b", after: ["a", "a"] },
    ]),
  ).toEqual({
    kind: "ordered",
    layers: [["a"], ["b"]],
  });
});

test("reports the cycle alone, beginning with its smallest id", () => {
  const text = "start: c\nc: a\na: b\nb: c\nfree:";
  expect(order(nodes(text))).toEqual({ kind: "cycle", cycle: ["a", "b", "c"] });
  expect(order(nodes("self: self"))).toEqual({ kind: "cycle", cycle: ["self"] });
});

test("reports two nodes of one id, and a node after one that is not there", () => {
  expect(order(nodes("a:\na:"))).toEqual({ kind: "duplicate", id: "a" });
  expect(order(nodes("a: gone"))).toEqual({ kind: "unknown", id: "a", after: "gone" });
});

test("is right for any graph, however it is given", () => {
  const graph = fc.array(fc.array(fc.nat(12), { maxLength: 3 }), { maxLength: 12 }).map((rows) =>
    rows.map((after, index) => ({
      id: `n${index}`,
      after: after.filter((at) => at < rows.length).map((at) => `n${at}`),
    })),
  );
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat()), (given, keys) => {
      const outcome = order(given);
      const shuffled = given.map((node) => ({ node, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      expect(order(shuffled.map(({ node }) => node))).toEqual(outcome);
      const byId = new Map(given.map((node) => [node.id, node]));
      if (outcome.kind === "cycle") {
        outcome.cycle.forEach((id, index) => {
          const next = outcome.cycle[(index + 1) % outcome.cycle.length];
          expect(byId.get(id)?.after).toContain(next);
        });
      } else {
        if (outcome.kind !== "ordered") throw new Error(`did not expect ${outcome.kind}`);
        const layerOf = new Map(outcome.layers.flatMap((layer, at) => layer.map((id) => [id, at] as const)));
        expect(layerOf.size).toBe(given.length);
        for (const { id, after } of given) {
          expect(layerOf.get(id)).toBe(
            after.length === 0 ? 0 : 1 + Math.max(...after.map((it) => layerOf.get(it) ?? 99)),
          );
        }
      }
    }),
  );
});
