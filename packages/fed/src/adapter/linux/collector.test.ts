import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { collectorSuite } from "#port/collector.suite.ts";
import type { RawTick } from "#port/collector.ts";
import { makeLinuxCollector } from "./collector.ts";
import { shells } from "./section.scene.ts";

const collector = makeLinuxCollector();

/** What each shell said: some sections take a second, and the same input is the same question. */
const said = new Map<string, Buffer>();

for (const { name, shell } of shells) {
  collectorSuite(`linux in ${name}`, () => ({
    collector,
    run: async (input) => {
      const known = said.get(name + input);
      if (known !== undefined) return known;
      const [command = "sh", ...words] = shell;
      const { stdout, stderr } = spawnSync(command, words, { input, maxBuffer: 64 * 2 ** 20, cwd: "/" });
      expect(stderr.toString()).toBe("");
      said.set(name + input, stdout);
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

test.each(shells)(
  "a $name that is kept open answers each ask when it comes, and ends with its input",
  async ({ shell }) => {
    const [command = "sh", ...words] = shell;
    const child = spawn(command, words, { stdio: ["pipe", "pipe", "ignore"], cwd: "/" });
    onTestFinished(() => void child.kill("SIGKILL"));
    const mark = "abcdefgh12345678";
    const reader = collector.openTicks(mark);
    const ticks: RawTick[] = [];
    const heard = async (count: number) => {
      while (ticks.length < count) {
        const [bytes] = await once(child.stdout, "data");
        ticks.push(...reader.push(bytes));
      }
      return ticks.at(-1);
    };
    // The first ask comes with the program, in one block of its input; the others when the answer is there.
    child.stdin.write(collector.program(mark) + collector.ask(1, ["load"]));
    expect(await heard(1)).toMatchObject({ sequence: 1 });
    for (const sequence of [2, 3, 4]) {
      child.stdin.write(collector.ask(sequence, ["cpu", "facts"]));
      expect(await heard(sequence)).toMatchObject({ sequence });
    }
    expect(ticks.at(-1)?.sections.map(({ name }) => name)).toEqual(expect.arrayContaining(["cpu", "facts"]));
    const ended = once(child, "exit");
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  },
);
