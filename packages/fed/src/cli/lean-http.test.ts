import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** What of `fetch` is loaded after `http` was imported, the command `up` as well. */
function loadedAfter(begin: string): string {
  const up = import.meta.resolve("./command/up.ts");
  const script = `
    ${begin}
    await import("node:http");
    await import(${JSON.stringify(up)});
    console.log(process.moduleLoadList.filter((name) => name.includes("deps/undici")).join());
  `;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).trim();
}

test("a hub does not load what comes with the names of http's WebSocket", () => {
  const lean = import.meta.resolve("./lean-http.ts");
  expect(loadedAfter(`(await import(${JSON.stringify(lean)})).leanHttp();`)).toBe("");
  // Else there is nothing left to spare.
  expect(loadedAfter("")).not.toBe("");
});
