import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { type Command, defineCommand, type Program } from "./command.ts";
import { commands } from "./commands.ts";
import { readEnv } from "./env.ts";
import { Interrupted } from "./interrupted.ts";
import { runProgram } from "./run.ts";
import { recordScreen } from "./test-screen.ts";

const env = readEnv({ HOME: "/home/ada" }, "/work");

function command(run: Command["run"]): Command {
  return defineCommand({ args: {}, flags: {}, examples: [{ line: "fed status", says: "look" }], run });
}

function programOf(run: Command["run"]): Program {
  const entry = { name: "status", group: "See", summary: "Look", load: async () => command(run) } as const;
  const hidden = { name: "complete", group: "Hidden", summary: "Answer", load: async () => command(run) } as const;
  return { name: "fed", version: "1.2.3", entries: [entry, hidden], families: [] };
}

async function use(
  words: readonly string[],
  run: Command["run"] = async () => 0,
  signal = new AbortController().signal,
) {
  const recorded = recordScreen({ json: words.includes("--json") });
  const code = await runProgram(programOf(run), words, env, recorded.screen, signal);
  return { code, out: recorded.out(), err: recorded.err() };
}

test("the exit code is the command's", async () => {
  expect(await use(["status"], async () => 3)).toEqual({ code: 3, out: "", err: "" });
});

test("alone it shows the commands, without those for programs", async () => {
  const { code, out } = await use([]);
  expect(code).toBe(0);
  expect(out).toContain("status      Look");
  expect(out).not.toContain("complete");
});

test("--help shows usage, flags and an example", async () => {
  const { out } = await use(["status", "--help"]);
  for (const text of ["fed status [flags]", "--json", "-h, --help", "Examples"]) expect(out).toContain(text);
});

test("flags of the frame may stand before the command", async () => {
  const { out } = await use(["--json", "status"], async ({ screen }) => {
    screen.data({ json: screen.json });
    return 0;
  });
  expect(out).toBe('{"json":true}\n');
});

test.each([
  [["statsu"], 'no command "statsu"', "did you mean status?"],
  [["status", "--jsno"], "no flag --jsno", "did you mean --json?"],
  [["--jsn"], "no flag --jsn of its own", "did you mean --json?"],
  [["--data", "status"], "no flag --data of its own", "after the command"],
  [["zzzzz"], 'no command "zzzzz"', "fed help lists them all"],
  [[""], 'no command ""', "fed help lists them all"],
])("%j is a mistake", async (words, message, hint) => {
  const { code, out, err } = await use(words);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain(message);
  expect(err).toContain(hint);
});

describe("faults and defects", () => {
  test("a Fault ends by the table", async () => {
    const { code, err } = await use(["status"], async () => {
      throw new Fault("unreachable", "no hub", { hint: "start one" });
    });
    expect(code).toBe(7);
    expect(err).toBe("fed: no hub\n  start one\n");
  });
  test("anything else is internal", async () => {
    const { code, err } = await use(["status"], async () => {
      throw new TypeError("oh");
    });
    expect(code).toBe(1);
    expect(err).toContain("a defect in fed");
    expect(err).not.toContain("run.test.ts");
  });
});

test("an abort that nobody asked for is not quiet", async () => {
  const { code, err } = await use(["status"], async () => AbortSignal.abort().throwIfAborted() ?? 0);
  expect(code).toBe(1);
  expect(err).toContain("a defect in fed");
});

describe("an interrupted command", () => {
  const interrupt = () => {
    const controller = new AbortController();
    controller.abort(new Interrupted("SIGTERM", 143));
    return controller.signal;
  };
  test("that ends well ends with the signal's code", async () => {
    expect(await use(["status"], async () => 0, interrupt())).toEqual({ code: 143, out: "", err: "" });
  });
  test("that throws the reason ends quietly", async () => {
    const run: Command["run"] = async ({ signal }) => {
      throw new Fault("timeout", "stopped", { cause: signal.reason });
    };
    expect(await use(["status"], run, interrupt())).toEqual({ code: 143, out: "", err: "" });
  });
  test("that fails at its cleaning up says so", async () => {
    const run: Command["run"] = async () => {
      throw new Fault("conflict", "cannot stop blog");
    };
    expect(await use(["status"], run, interrupt())).toMatchObject({ code: 5, err: "fed: cannot stop blog\n" });
  });
});

describe("every command of the table", () => {
  test.each(commands.map((entry) => [entry.name, entry] as const))(
    "%s loads, has an example and sane flags",
    async (name, entry) => {
      const { examples, flags, args } = await entry.load();
      expect(examples.length).toBeGreaterThan(0);
      for (const { line } of examples) expect(line).toMatch(new RegExp(`\\bfed ${name}\\b`));
      const shorts = Object.values(flags).flatMap(({ short }) => (short === undefined ? [] : [short]));
      expect(new Set([...shorts, "h"]).size).toBe(shorts.length + 1);
      expect(
        Object.values(args)
          .slice(0, -1)
          .some(({ many }) => many),
      ).toBe(false);
      for (const text of [entry.summary, ...Object.values(flags).map(({ description }) => description)]) {
        expect(text).toMatch(/^[A-Z].*[^.]$/);
      }
    },
  );
});
