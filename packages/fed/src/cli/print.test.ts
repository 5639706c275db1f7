import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import type { Table } from "./print.ts";
import { recordScreen } from "./test-screen.ts";
import { widthOf } from "./text.ts";

const services: Table = {
  columns: [
    { title: "SERVICE" },
    { title: "STATE" },
    { title: "MEMORY", align: "right" },
    { title: "AGE", quiet: true },
  ],
  rows: [
    ["site", { text: "healthy", style: "good" }, "9 MiB", "1 s"],
    ["実験室", { text: "gave up", style: "bad" }, "120 MiB", "2 s"],
  ],
};
const size = { columns: 80, rows: 24 };

describe("table", () => {
  test("aligns words left, numbers right, wide letters by their width", () => {
    const { screen, out } = recordScreen();
    screen.table(services);
    expect(out()).toBe(
      ["SERVICE  STATE     MEMORY  AGE", "site     healthy    9 MiB  1 s", "実験室   gave up  120 MiB  2 s", ""].join(
        "\n",
      ),
    );
  });

  test("is cut to the width of a terminal, never in a pipe", () => {
    const long: Table = { columns: [{ title: "A" }, { title: "B" }], rows: [["x".repeat(100), "y".repeat(30)]] };
    const terminal = recordScreen({ size: { columns: 40, rows: 24 }, terminal: { color: "never" } });
    terminal.screen.table(long);
    for (const line of terminal.out().split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(40);
    expect(terminal.out()).toContain("…");
    const pipe = recordScreen();
    pipe.screen.table(long);
    expect(pipe.out()).toContain("x".repeat(100));
  });

  test("a cell cannot break out of its line", () => {
    const { screen, out } = recordScreen({ size, terminal: { color: "never" } });
    screen.table({ columns: [{ title: "A" }], rows: [["one\ntwo\x1b[2Jthree"]] });
    expect(out()).toBe("A\none twothree\n");
  });
});

describe("colour", () => {
  const green = "\x1b[32mgood\x1b[39m\n";
  const shown = (options: Parameters<typeof recordScreen>[0]) => {
    const { screen, out } = recordScreen(options);
    screen.line({ text: "good", style: "good" });
    return out();
  };
  test("on a terminal", () => expect(shown({ size })).toBe(green));
  test("not in a pipe", () => expect(shown({})).toBe("good\n"));
  test("not with NO_COLOR", () => expect(shown({ size, terminal: { color: "never" } })).toBe("good\n"));
  test("not on a dumb terminal", () => expect(shown({ size, terminal: { dumb: true } })).toBe("good\n"));
  test("in a pipe with FORCE_COLOR", () => expect(shown({ terminal: { color: "always" } })).toBe(green));
});

describe("json", () => {
  test("only data goes to stdout, one line per value", () => {
    const { screen, out, err } = recordScreen({ json: true });
    screen.line("words");
    screen.table(services);
    screen.live().show(services);
    screen.data({ a: 1 });
    screen.note("on the way");
    expect(out()).toBe('{"a":1}\n');
    expect(err()).toBe("on the way\n");
  });
});

describe("verbatim", () => {
  const log = "\x1b[31mred\x1b[0m\r\n";
  test("as it is into a pipe", () => {
    const { screen, out } = recordScreen();
    screen.verbatim(log);
    expect(out()).toBe(log);
  });
  test("harmless on a terminal", () => {
    const { screen, out } = recordScreen({ size });
    screen.verbatim(log);
    expect(out()).toBe("red\n");
  });
});

describe("live table", () => {
  const one = (state: string, age: string): Table => ({ ...services, rows: [["site", state, "9 MiB", age]] });
  const plain = { size, terminal: { color: "never" } } as const;

  test("is redrawn in place on a terminal", () => {
    const { screen, out } = recordScreen(plain);
    const live = screen.live();
    live.show(one("starting", "1 s"));
    live.show(one("healthy", "2 s"));
    live.end();
    expect(replay(out())).toEqual(["SERVICE  STATE    MEMORY  AGE", "site     healthy   9 MiB  2 s"]);
  });

  test("stands below what is printed meanwhile", () => {
    const { screen, out } = recordScreen(plain);
    const live = screen.live();
    live.show(one("starting", "1 s"));
    screen.line("something happened");
    screen.verbatim("half a line");
    live.show(one("healthy", "2 s"));
    live.end();
    screen.line("after");
    const lines = replay(out());
    expect(lines[0]).toBe("something happened");
    expect(lines[1]).toBe("half a line");
    expect(lines.slice(2)).toEqual(["SERVICE  STATE    MEMORY  AGE", "site     healthy   9 MiB  2 s", "after"]);
  });

  test("is a line for each change where it is no terminal, and says what a title would", () => {
    const { screen, out } = recordScreen();
    const columns = services.columns.map((column) =>
      column.title === "MEMORY" ? { ...column, said: (text: string) => `in ${text}` } : column,
    );
    const live = screen.live();
    live.show({ ...one("starting", "1 s"), columns });
    live.show({ ...one("starting", "2 s"), columns });
    expect(out()).toBe("site  starting  in 9 MiB\n");
  });

  test("is never higher than the terminal", () => {
    const { screen, out } = recordScreen({ size: { columns: 80, rows: 5 }, terminal: { color: "never" } });
    const rows = Array.from({ length: 9 }, (_, index) => [`s${index}`]);
    screen.live().show({ columns: [{ title: "SERVICE" }], rows });
    expect(replay(out())).toEqual(["SERVICE", "s0", "s1", "… 7 more"]);
  });

  test("a terminal that does not know its size is an ordinary one", () => {
    const { screen, out } = recordScreen({ size: { columns: 0, rows: 0 }, terminal: { color: "never" } });
    screen.live().show({ columns: [{ title: "SERVICE" }], rows: [["s0"], ["s1"], ["s2"]] });
    expect(replay(out())).toEqual(["SERVICE", "s0", "s1", "s2"]);
  });

  test("never wraps, however narrow the terminal", () => {
    const { screen, out } = recordScreen({ size: { columns: 14, rows: 9 }, terminal: { color: "never" } });
    screen.live().show(services);
    for (const line of replay(out())) expect(widthOf(line)).toBeLessThanOrEqual(14);
  });

  test("is a line per change in a pipe, quiet columns aside", () => {
    const { screen, out } = recordScreen();
    const live = screen.live();
    live.show(one("starting", "1 s"));
    live.show(one("starting", "2 s"));
    live.show(one("healthy", "3 s"));
    live.show({ ...services, rows: [] });
    expect(out()).toBe("site  starting  9 MiB\nsite  healthy  9 MiB\nsite  gone\n");
  });
});

describe("fault", () => {
  const fault = new Fault("missing", "there is no lab\nat all", {
    hint: "begin one",
    details: { at: 1 },
    cause: new Error("ENOENT"),
  });
  test("says what happened and what to do, no trace", () => {
    const { screen, out, err } = recordScreen();
    screen.fault(fault, false);
    expect(err()).toBe("fed: there is no lab\n  at all\n  begin one\n");
    expect(out()).toBe("");
  });
  test("shows where it comes from with FED_DEBUG", () => {
    const { screen, err } = recordScreen();
    screen.fault(fault, true);
    expect(err()).toContain("print.test.ts");
    expect(err()).toContain("cause: Error: ENOENT");
  });
  test("is problem data with --json", () => {
    const { screen, out, err } = recordScreen({ json: true });
    screen.fault(fault, false);
    expect(out()).toBe("");
    expect(JSON.parse(err())).toEqual({
      code: "missing",
      message: "there is no lab\nat all",
      hint: "begin one",
      details: { at: 1 },
    });
  });
  test("anything else thrown is a defect of ours", () => {
    const { screen, err } = recordScreen();
    screen.fault(new TypeError("x is not a function"), false);
    expect(err()).toBe("fed: x is not a function\n  this is a defect in fed; FED_DEBUG=1 shows where\n");
  });
  test("cannot drive the terminal", () => {
    const { screen, err } = recordScreen({ size, terminal: { color: "never" } });
    screen.fault(new Fault("invalid", "bad \x1b[2J name", { hint: "\x9b1m" }), false);
    expect(err()).toBe("fed: bad  name\n  \n");
  });
});

/** What stands on a terminal after the writes: knows the two movements a screen makes. */
function replay(written: string): readonly string[] {
  const lines = [""];
  let row = 0;
  const legible = written.replaceAll("\x1b[", "␛");
  for (const part of legible.split(/(\r␛\d+A|␛J|\n)/)) {
    const up = /␛(\d+)A/.exec(part);
    if (up) row -= Number(up[1]);
    else if (part === "␛J") lines.length = row;
    else if (part === "\n") row++;
    else if (part !== "") lines[row] = (lines[row] ?? "") + part;
  }
  return lines;
}
