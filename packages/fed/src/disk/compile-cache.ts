import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/**
 * Options of a `Worker` that reads its modules compiled, from the folder where this thread keeps its own; otherwise a thread strips
 * and compiles every module anew each time it starts. It is all that such a thread has of the environment. Nothing when this thread
 * keeps no compiled modules.
 */
export function withCompileCache(): { readonly env?: { readonly NODE_COMPILE_CACHE: string } } {
  const own = getCompileCacheDir();
  // Node adds a folder of its version to the one it is told.
  return own === undefined ? {} : { env: { NODE_COMPILE_CACHE: dirname(own) } };
}
