/** What adapters of port `image` know alike about layers. */

/**
 * The lowest layers that another image begins with as well: an engine knows a layer by all that is below it. One that comes
 * again further up is not among them: its content is in the archive once.
 */
export function sharedLayers(layers: readonly string[], others: readonly (readonly string[])[]): readonly string[] {
  const shared = others.map((other) => {
    const differs = layers.findIndex((layer, index) => layer !== other[index]);
    return differs === -1 ? layers.length : differs;
  });
  const count = Math.max(0, ...shared);
  const above = new Set(layers.slice(count));
  return [...new Set(layers.slice(0, count))].filter((layer) => !above.has(layer));
}
