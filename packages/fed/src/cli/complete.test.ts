import { describe, expect, test } from "vitest";
import { defineCommand, type Program } from "./command.ts";
import { complete } from "./complete.ts";

const logs = defineCommand({
  args: { service: { kind: "service", description: "Service" } },
  flags: {
    follow: { kind: "switch", short: "f", description: "Go on" },
    data: { kind: "folder", short: "d", description: "Folder" },
    level: { kind: "choice", of: ["debug", "info"], description: "Level" },
  },
  examples: [],
  run: async () => 0,
});
const help = defineCommand({
  args: { command: { kind: "command", optional: true, description: "Command" } },
  flags: {},
  examples: [],
  run: async () => 0,
});
const check = defineCommand({
  args: { labs: { kind: "file", many: true, description: "Labs" } },
  flags: {},
  examples: [],
  run: async () => 0,
});
const program: Program = {
  name: "fed",
  version: "1.2.3",
  families: [],
  entries: [
    { name: "logs", group: "See", summary: "Logs", load: async () => logs },
    { name: "help", group: "Keep", summary: "Help", load: async () => help },
    { name: "check", group: "Write", summary: "Check", load: async () => check },
    { name: "complete", group: "Hidden", summary: "Answer", load: async () => help },
  ],
};

async function answer(...words: string[]) {
  const { candidates, paths } = await complete(program, words, async () => ["site", "api", "ap2"]);
  return [...candidates.map(({ word }) => word), ...(paths ? [`:${paths}`] : [])];
}

describe("what can follow", () => {
  test.each([
    [[""], ["logs", "help", "check"]],
    [["c"], ["check"]],
    [["-"], ["--help", "--json", "--version"]],
    [["--json", "h"], ["help"]],
    [
      ["logs", ""],
      ["site", "api", "ap2"],
    ],
    [
      ["logs", "ap"],
      ["api", "ap2"],
    ],
    [["logs", "api", ""], []],
    [["logs", "-f", "s"], ["site"]],
    [
      ["logs", "-"],
      ["--follow", "--data", "--level", "--json", "--help"],
    ],
    [["logs", "--le"], ["--level"]],
    [
      ["logs", "--level", ""],
      ["debug", "info"],
    ],
    [["logs", "--level=d"], ["--level=debug"]],
    [["logs", "--level", "=", "d"], ["debug"]],
    [
      ["logs", "--level", "="],
      ["debug", "info"],
    ],
    [
      ["logs", "--level", "debug", ""],
      ["site", "api", "ap2"],
    ],
    [["logs", "--data", ""], [":folder"]],
    [["logs", "-d", "x"], [":folder"]],
    [["logs", "--nothing=x"], []],
    [["logs", "--", "-"], []],
    [
      ["help", ""],
      ["logs", "help", "check"],
    ],
    [["check", ""], [":file"]],
    [["check", "a", "b", ""], [":file"]],
    [["nothing", ""], []],
    [[], ["logs", "help", "check"]],
  ])("%j", async (words, known) => expect(await answer(...words)).toEqual(known));
});
