import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives, type Reply, refuses } from "../hub.scene.ts";

const taken = (added: number, same = 0, reasons: readonly string[] = []) =>
  gives({ added, same, refused: reasons.length, reasons });

async function desk(text: string, ...replies: readonly Reply[]) {
  let nth = 0;
  const made = await makeDesk({
    "/api/v1/metric-import": () => replies[Math.min(nth++, replies.length - 1)] ?? refuses("internal"),
  });
  const file = join(made.home, "old.om");
  writeFileSync(file, text);
  return { ...made, file };
}

const asked = ({ hub }: Awaited<ReturnType<typeof desk>>) =>
  hub.asked.map(({ body, query }) => ({ body, line: query.get("line") }));

test("a file goes to the hub in parts, and what became of it is told", async () => {
  const opened = await desk("a 1 1700006400\n# EOF\na 2 1700006460\n", taken(1), taken(0, 1));
  const { code, out, err } = await opened.fed("metrics", "import", opened.file);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^1 sample taken, 1 there already, 0 refused {2}\([\d.]+ s, [\d,]+ a second\)\n$/);
  expect(asked(opened)).toEqual([
    { body: "a 1 1700006400\n", line: "1" },
    { body: "a 2 1700006460\n", line: "3" },
  ]);
});

test("what is refused is told by line, with what to do, and the end is 2", async () => {
  const opened = await desk("a 1\nb 1 1\n", taken(0, 0, ["line 1: a has no time", "line 2: b is old"]));
  const { code, out, err } = await opened.fed("metrics", "import", opened.file);
  expect(code).toBe(2);
  expect(out).toContain("2 refused");
  expect(out).toContain("refused line 1: a has no time\nrefused line 2: b is old\n");
  expect(err).toMatch(/^hint each line needs a time/);
  const data = await opened.fed("metrics", "import", opened.file, "--json");
  expect(JSON.parse(data.out)).toMatchObject({ complete: true, lines: 2, added: 0, refused: 2, reasons: [{}, {}] });
});

test("a hub that goes away leaves word of how far it came", async () => {
  const opened = await desk("a 1 1\n# EOF\na 1 2\n", taken(1), refuses("unreachable", "the disk is full"));
  const { code, out, err } = await opened.fed("metrics", "import", opened.file);
  expect(code).toBe(7);
  expect(out).toMatch(/^1 sample taken/);
  expect(err).toContain("stopped after line 1; ");
  expect(err).toContain("Give the same text again");
  expect(err).toContain("the disk is full");
});

test("what is no text of samples is said, and nothing else", async () => {
  const opened = await desk(`${"x".repeat(3 * 2 ** 20)}`);
  const { code, out, err } = await opened.fed("metrics", "import", opened.file);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toMatch(/^fed: line 1 is longer than 1024 KiB\n {2}Give a text of samples/);
});

test("without a file it says so", async () => {
  const opened = await desk("");
  expect(await opened.fed("metrics", "import", join(opened.home, "none"))).toMatchObject({
    code: 4,
    err: expect.stringContaining("it does not exist"),
  });
  expect(await opened.fed("metrics", "import", opened.home)).toMatchObject({ code: 2 });
  expect((await opened.fed("metrics", "import", "--help")).out).toContain("promtool tsdb dump-openmetrics");
});
