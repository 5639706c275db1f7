import { expect, test } from "vitest";
import { openTicks, sectionBytes, tickBytes } from "./tick.ts";

const mark = "abcdefgh12345678";
const whole = (sequence: number, ...sections: readonly string[]) =>
  `\n${mark} tick ${sequence} 1800000000.5 100.25 103.75\n${sections.join("")}\n${mark} end ${sequence}\n`;
const section = (name: string, text: string, code = 0) => `${text}\n${mark} section ${name} ${code}\n`;
const reader = () => openTicks(mark, (one) => [one]);
const push = (...texts: readonly string[]) => {
  const ticks = reader();
  return texts.flatMap((text) => [...ticks.push(Buffer.from(text))]);
};

test("keeps a section's text to the byte, and its exit code", () => {
  const texts = [
    "",
    "\n",
    "a",
    "a\n",
    "\n\n",
    "a\r\nb",
    `${mark} section x 0`,
    ` ${mark} end 1\n`,
    "é\u0000\u001b[31m",
  ];
  expect(push(whole(1, ...texts.map((text, i) => section("a".repeat(i + 1), text, i))))).toEqual([
    {
      sequence: 1,
      machineMs: 1_800_000_004_000,
      sections: texts.map((text, i) => ({ name: "a".repeat(i + 1), text, code: i, cut: false })),
    },
  ]);
});

test("reads the clock of a date that knows no nanoseconds", () => {
  for (const wall of ["1800000000", "1800000000.%N", "1800000000.N", "1800000000."]) {
    const text = whole(1).replace("1800000000.5", wall);
    expect(push(text)[0]?.machineMs, wall).toBe(1_800_000_003_500);
  }
});

test("cuts a section, not the tick", () => {
  const heap = 64;
  const ticks = openTicks(mark, (one) => [one], heap);
  const [tick] = ticks.push(Buffer.from(whole(1, section("a", "x".repeat(100)), section("b", "short"))));
  expect(tick?.sections).toEqual([
    { name: "a", text: "x".repeat(heap), code: 0, cut: true },
    { name: "b", text: "short", code: 0, cut: false },
  ]);
  expect(tickBytes).toBeGreaterThan(sectionBytes);
});

test.each([
  ["a tick within a tick", `\n${mark} tick 1 1800000000 1 1\n${whole(2)}`],
  ["an end without a begin", `\n${mark} end 1\n`],
  ["an end of another tick", whole(2).replace("end 2", "end 3")],
  ["a section outside of a tick", `\n${mark} section a 0\n`],
  ["ticks that go back", whole(2) + whole(1)],
  ["the same tick again", whole(1) + whole(1)],
  ["a tick without a time", whole(1).replace("1800000000.5", "-")],
  ["an infinite time", whole(1).replace("1800000000.5", "1e999")],
  ["an uptime that is none", whole(1).replace("103.75", "NaN")],
  ["a negative sequence", whole(-1)],
  ["a name that is none", whole(1, section("../../etc", ""))],
  ["an exit code that is none", whole(1, section("a", "").replace(" 0\n", " x\n"))],
  ["a word that is none", `\n${mark} reboot\n`],
  ["a thousand sections", whole(1, ...Array.from({ length: 1000 }, () => section("a", "")))],
  ["two megabytes", `${whole(1).split(`\n${mark} end`)[0]}${"x".repeat(tickBytes + 100)}`],
  ["noise without end", "x".repeat(70_000)],
  ["a line of the frame without end", `\n${mark} tick ${"1".repeat(1000)}`],
])("refuses %s", (_, text) => {
  const ticks = reader();
  expect(() => {
    ticks.push(Buffer.from(text));
    ticks.push(Buffer.from("\n"));
  }).toThrow(/cannot say/);
  expect(() => ticks.push(Buffer.from(whole(9)))).toThrow(/cannot say/);
});

test("tells what came whole before something that cannot be", () => {
  const ticks = reader();
  expect(ticks.push(Buffer.from(`${whole(1)}\n${mark} reboot\n`)).map((tick) => tick.sequence)).toEqual([1]);
  expect(() => ticks.push(Buffer.from("\n"))).toThrow(/cannot say/);
});
