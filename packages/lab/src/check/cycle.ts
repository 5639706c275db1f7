/** Finding cycles in a graph of names, in time linear in its edges. */

/**
 * One cycle of each knot of the graph (strongly connected component), as `[a, b, c]` for a → b → c → a. Each is a
 * shortest cycle through the knot's first name in the order of `graph`. Names that are no key of it have no edges.
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const position = new Map([...graph.keys()].map((name, index) => [name, index]));
  return findKnots(graph).map((knot) => {
    const [first = ""] = [...knot].sort((a, b) => (position.get(a) ?? 0) - (position.get(b) ?? 0));
    return shortestCycle(graph, knot, first);
  });
}

/** Breadth first from `start` inside the knot until an edge leads back to it. */
function shortestCycle(
  graph: ReadonlyMap<string, readonly string[]>,
  knot: ReadonlySet<string>,
  start: string,
): readonly string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const name of queue) {
    for (const next of graph.get(name) ?? []) {
      if (next === start) {
        const cycle = [name];
        for (let back = name; back !== start; ) {
          back = cameFrom.get(back) ?? start;
          cycle.unshift(back);
        }
        return cycle;
      }
      if (!knot.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, name);
      queue.push(next);
    }
  }
  return [start];
}

interface Visit {
  readonly name: string;
  readonly edges: readonly string[];
  next: number;
}

/** Tarjan's algorithm with its own stack (a long chain must not overflow the engine's); only knots that have a cycle. */
function findKnots(graph: ReadonlyMap<string, readonly string[]>): readonly ReadonlySet<string>[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const knots: ReadonlySet<string>[] = [];

  const lower = (name: string, to: number) => low.set(name, Math.min(low.get(name) ?? to, to));
  const begin = (name: string): Visit => {
    index.set(name, index.size);
    low.set(name, index.size - 1);
    open.push(name);
    isOpen.add(name);
    return { name, edges: graph.get(name) ?? [], next: 0 };
  };
  const end = (name: string) => {
    if (low.get(name) !== index.get(name)) return;
    const knot = new Set(open.splice(open.lastIndexOf(name)));
    for (const member of knot) isOpen.delete(member);
    if (knot.size > 1 || (graph.get(name) ?? []).includes(name)) knots.push(knot);
  };

  for (const root of graph.keys()) {
    if (index.has(root)) continue;
    const visits = [begin(root)];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const edge = visit.edges[visit.next++];
      if (edge === undefined) {
        visits.pop();
        end(visit.name);
        const parent = visits.at(-1);
        if (parent !== undefined) lower(parent.name, low.get(visit.name) ?? 0);
      } else if (!index.has(edge)) {
        visits.push(begin(edge));
      } else if (isOpen.has(edge)) {
        lower(visit.name, index.get(edge) ?? 0);
      }
    }
  }
  return knots;
}
