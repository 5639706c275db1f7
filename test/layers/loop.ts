/**
 * The loops of a directed graph: one shortest loop for each knot of nodes that reach one another (a strongly connected
 * component), so that one mistake is one message.
 */
export function findLoops(arrows: ReadonlyMap<string, readonly string[]>): string[][] {
  const seen = new Set<string>();
  const loops: string[][] = [];
  for (const start of arrows.keys()) {
    if (seen.has(start)) continue;
    const loop = shortestWayBack(arrows, start);
    if (!loop) continue;
    loops.push(loop);
    for (const node of reachedFrom(arrows, start)) if (reachedFrom(arrows, node).has(start)) seen.add(node);
  }
  return loops;
}

/** The nodes from `start` round to `start` again, both ends named; undefined when no way leads back. */
function shortestWayBack(arrows: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of arrows.get(node) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = node; at !== start; at = cameFrom.get(at) ?? start) way.unshift(at);
        return [start, ...way];
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function reachedFrom(arrows: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const reached = new Set([start]);
  for (const node of reached) for (const next of arrows.get(node) ?? []) reached.add(next);
  return reached;
}
