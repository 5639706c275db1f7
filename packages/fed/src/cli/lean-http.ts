/**
 * Node's `http` has the names of its WebSocket, too, each a getter, and whoever imports the module reads all of its names: that loads the
 * whole of `fetch`, 15 MB and 50 ms of a start, in a hub that uses neither. To be called before anything imports `http`, which then
 * lacks these names; the global ones stay.
 */
export function leanHttp(): void {
  const http: Partial<typeof import("node:http")> = process.getBuiltinModule("node:http");
  for (const name of ["WebSocket", "CloseEvent", "MessageEvent"] as const) delete http[name];
}
