#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * The program's first lines. `fed --version` is answered here, before anything else is loaded, so that it costs no
 * more than starting Node does.
 */
const own = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string };

if (process.argv.length === 3 && process.argv[2] === "--version") {
  process.stdout.write(`fed ${own.version} (node ${process.version})\n`);
} else {
  // A folder that cannot be written only costs time.
  enableCompileCache(join(import.meta.dirname, "../../../../.cache/compile"));
  const { start } = await import("./start.ts");
  await start(own.version);
}
