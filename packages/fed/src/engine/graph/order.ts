/** Something that comes after others of its kind. */
export interface OrderNode {
  readonly id: string;
  readonly after: readonly string[];
}

export type Order =
  | { readonly kind: "ordered"; readonly ids: readonly string[] }
  /** The ids of one cycle, in its direction. */
  | { readonly kind: "cycle"; readonly ids: readonly string[] };

/** Every id after those it comes after; otherwise as given. Ids that are not nodes are passed over. */
export function order(nodes: readonly OrderNode[]): Order {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<string>();
  const path: string[] = [];
  const ids: string[] = [];

  function visit(node: OrderNode): readonly string[] | undefined {
    if (done.has(node.id)) return undefined;
    const at = path.indexOf(node.id);
    if (at >= 0) return path.slice(at);
    path.push(node.id);
    for (const id of node.after) {
      const before = byId.get(id);
      const cycle = before && visit(before);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(node.id);
    ids.push(node.id);
    return undefined;
  }

  for (const node of nodes) {
    const cycle = visit(node);
    if (cycle) return { kind: "cycle", ids: cycle };
  }
  return { kind: "ordered", ids };
}
