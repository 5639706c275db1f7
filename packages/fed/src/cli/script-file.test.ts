import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { findScripts } from "./script-file.ts";

test("- reads stdin, letters cut in two and all", async () => {
  const bytes = Buffer.from("é µ");
  const stdin = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]);
  const [script, ...others] = await findScripts(["/here/-"], "/here", stdin);
  expect(others).toEqual([]);
  expect(script?.name).toBe("-");
  expect(await script?.read()).toBe("é µ");
});
