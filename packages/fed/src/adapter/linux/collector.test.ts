import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { collectorSuite } from "#port/collector.suite.ts";
import { makeLinuxCollector } from "./collector.ts";
import { shells } from "./section.scene.ts";

const collector = makeLinuxCollector();

for (const { name, shell } of shells) {
  collectorSuite(`linux in ${name}`, () => ({
    collector,
    run: async (input) => {
      const [command = "sh", ...words] = shell;
      const { stdout, stderr } = spawnSync(command, words, { input, maxBuffer: 64 * 2 ** 20, cwd: "/" });
      expect(stderr.toString()).toBe("");
      return stdout;
    },
  }));
}

test("the whole program is short", () => {
  expect(Buffer.byteLength(collector.program("abcdefgh12345678"))).toBeLessThan(12 * 1024);
});

test("no section takes another's variables or the frame's", () => {
  const program = collector.program("abcdefgh12345678");
  for (const [, name = "", body = ""] of program.matchAll(/^s_([a-z]+)\(\)\{\n([\s\S]*?)\n\}$/gm)) {
    const set = [...body.matchAll(/(?:^|[\s;(])([A-Za-z_][A-Za-z0-9_]*)=/g)].map(([, variable]) => variable);
    const foreign = set.filter((variable) => variable !== "IFS" && !variable?.startsWith(name));
    expect(foreign, `variables of ${name}`).toEqual([]);
  }
});
