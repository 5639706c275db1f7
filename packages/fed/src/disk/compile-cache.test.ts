import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "./fixture.ts";

const script = `
  const { enableCompileCache } = await import("node:module");
  const { Worker } = await import("node:worker_threads");
  const { withCompileCache } = await import(process.argv[1]);
  if (process.argv[2]) enableCompileCache(process.argv[2]);
  const code =
    "import { getCompileCacheDir } from 'node:module'; import { parentPort } from 'node:worker_threads';" +
    "parentPort.postMessage(getCompileCacheDir() ?? 'none');";
  new Worker(code, { eval: true, ...withCompileCache() }).on("message", (found) => process.stdout.write(found));`;

function cacheOfThread(...folder: string[]): string {
  const module = join(import.meta.dirname, "compile-cache.ts");
  const words = ["--input-type=module", "-e", script, module, ...folder];
  return execFileSync(process.execPath, words, { encoding: "utf8", env: {} });
}

test("a thread reads compiled modules where the one that starts it keeps them", () => {
  const folder = tempFolder();
  expect(cacheOfThread(folder)).toMatch(new RegExp(`^${folder}/[^/]+$`));
  expect(cacheOfThread()).toBe("none");
});
