import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinCommand, splitCommand } from "./command.ts";

const argvOf = (text: string) => {
  const split = splitCommand(text);
  return split.kind === "argv" ? split.argv : split.kind;
};

describe("splitting", () => {
  it.each([
    ["node server.js", ["node", "server.js"]],
    ["  node \t server.js ", ["node", "server.js"]],
    ["echo 'two words' \"and more\"", ["echo", "two words", "and more"]],
    ["echo a'b'\"c\"d", ["echo", "abcd"]],
    ["echo '' \"\"", ["echo", "", ""]],
    ["echo '$HOME | x; y > z'", ["echo", "$HOME | x; y > z"]],
    ['echo "a|b;c*d"', ["echo", "a|b;c*d"]],
    ['echo "\\$HOME \\"x\\" \\\\ \\`y\\` \\n"', ["echo", '$HOME "x" \\ `y` \\n']],
    ["echo \\$HOME a\\ b \\|", ["echo", "$HOME", "a b", "|"]],
    ["node --port=80 http://x/?a=b#c a~b", ["node", "--port=80", "http://x/?a=b#c", "a~b"]],
    ["env PORT=80 node x", ["env", "PORT=80", "node", "x"]],
    ["größe ☃", ["größe", "☃"]],
  ])("%j", (text, argv) => {
    expect(argvOf(text)).toEqual(argv);
  });

  it.each([
    "node a | tee b",
    "node a && node b",
    "node a; node b",
    "node a > log",
    "node a 2>&1",
    "node < in",
    "node a &",
    "node $PORT",
    "node $" + "{PORT}",
    'node "$PORT"',
    "node `date`",
    'node "`date`"',
    "node $(date)",
    "ls *.js",
    "cd ~/x",
    "node x # why",
    "PORT=80 node x",
    "node a\nnode b",
    "(node a)",
  ])("needs a shell: %j", (text) => {
    expect(splitCommand(text)).toMatchObject({ kind: "shell", message: expect.stringMatching(/only a shell/) });
  });

  it.each(["", "   ", "''", "node 'x", 'node "x', "node x\\", "node \0"])("is broken: %j", (text) => {
    expect(argvOf(text)).toBe("broken");
  });

  it("says what to write instead", () => {
    expect(splitCommand("node $PORT")).toMatchObject({
      message: "The command has $PORT, which only a shell understands.",
      hint: expect.stringContaining('["sh", "-c", "…"]'),
    });
  });
});

describe("joining", () => {
  const argvs = fc
    .tuple(fc.string({ minLength: 1 }), fc.array(fc.string({ unit: "grapheme" })))
    .map(([program, words]) => [program, ...words].map((word) => word.replaceAll("\0", "")))
    .filter(([program]) => program !== "");

  it("is undone by splitting", () => {
    fc.assert(
      fc.property(argvs, (argv) => {
        expect(argvOf(joinCommand(argv))).toEqual(argv);
      }),
    );
  });

  it("reads the same in a real shell", () => {
    const argv = ["a b", "it's", "$HOME", "`x`", '"', "\\", "", "*", "new\nline", "~", "#", "-n"];
    const script = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
    const line = joinCommand([process.execPath, "-e", script, "--", ...argv]);
    expect(JSON.parse(execFileSync("sh", ["-c", line], { encoding: "utf8" }))).toEqual(argv);
  });

  it("splits as a real shell does, where it splits at all", () => {
    const lines = fc.string({ unit: fc.constantFrom("a", "b", " ", "'", '"', "\\", "-", "=", "#", "/") });
    const script = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
    fc.assert(
      fc.property(lines, (text) => {
        const split = splitCommand(`x ${text}`);
        if (split.kind !== "argv") return;
        const line = `${joinCommand([process.execPath, "-e", script])} -- ${text}`;
        expect(JSON.parse(execFileSync("sh", ["-c", line], { encoding: "utf8" }))).toEqual(split.argv.slice(1));
      }),
      { numRuns: 25 },
    );
  });
});
