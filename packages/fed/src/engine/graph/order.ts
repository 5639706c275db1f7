/** One thing that comes after others. */
export interface GraphNode {
  /** Unique in its graph. */
  readonly id: string;
  /** Ids of the nodes that come before it. */
  readonly after: readonly string[];
}

export type OrderOutcome =
  /** Layer 0 waits for nothing; each node is in the first layer after all it waits for. Sorted by id within a layer. */
  | { readonly kind: "ordered"; readonly layers: readonly (readonly string[])[] }
  /** Each id comes after the next one, the last one after the first. Begins with its smallest id. */
  | { readonly kind: "cycle"; readonly cycle: readonly string[] }
  | { readonly kind: "duplicate"; readonly id: string }
  /** A node comes after one that is not in the graph. */
  | { readonly kind: "unknown"; readonly id: string; readonly after: string };

/** Lays nodes in layers. Pure; the outcome does not depend on the order in which the nodes are given. */
export function order(nodes: readonly GraphNode[]): OrderOutcome {
  const sorted = [...nodes].sort((a, b) => compareText(a.id, b.id));
  const byId = new Map<string, GraphNode>();
  for (const node of sorted) {
    if (byId.has(node.id)) return { kind: "duplicate", id: node.id };
    byId.set(node.id, node);
  }
  const waitsFor = new Map<string, Set<string>>();
  const followers = new Map<string, string[]>();
  for (const { id, after } of sorted) {
    waitsFor.set(id, new Set(after));
    for (const before of new Set(after)) {
      if (!byId.has(before)) return { kind: "unknown", id, after: before };
      const known = followers.get(before);
      if (known) known.push(id);
      else followers.set(before, [id]);
    }
  }
  const layers: string[][] = [];
  let layer = sorted.filter(({ after }) => after.length === 0).map(({ id }) => id);
  while (layer.length > 0) {
    layers.push(layer);
    layer = nextLayer(layer, waitsFor, followers);
  }
  return waitsFor.size === 0 ? { kind: "ordered", layers } : { kind: "cycle", cycle: findCycle(waitsFor) };
}

/** Takes a layer out of the graph; what waits for nothing any more is the next. */
function nextLayer(
  layer: readonly string[],
  waitsFor: Map<string, Set<string>>,
  followers: ReadonlyMap<string, readonly string[]>,
): string[] {
  const next: string[] = [];
  for (const id of layer) {
    waitsFor.delete(id);
    for (const follower of followers.get(id) ?? []) {
      const waits = waitsFor.get(follower);
      waits?.delete(id);
      if (waits?.size === 0) next.push(follower);
    }
  }
  return next.sort(compareText);
}

/** Every node left waits for another one left: walking on must come back to where it has been. */
function findCycle(left: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const path: string[] = [];
  let at = [...left.keys()].sort(compareText)[0];
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = [...(left.get(at) ?? [])].sort(compareText)[0];
  }
  const cycle = path.slice(at === undefined ? 0 : path.indexOf(at));
  const smallest = cycle.reduce((least, id, index) => (compareText(id, cycle[least] ?? id) < 0 ? index : least), 0);
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)];
}

/** By code unit: the same everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
