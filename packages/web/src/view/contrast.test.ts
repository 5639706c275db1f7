import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrastOf, readColors } from "./contrast.scene.ts";

const colors = readColors(readFileSync(new URL("./tokens.css", import.meta.url), "utf8"));
const tones = ["good", "warn", "bad", "idle", "info"];
const labels = ["label-1", "label-2", "label-3", "label-4", "label-5", "label-6"];

/** What stands on what, and how well it must be told apart: words 4.5, marks and edges of controls 3. */
const pairs: readonly (readonly [front: string, back: string, least: number])[] = [
  ...["ink", "soft", "faint"].flatMap((ink) =>
    ["ground", "surface", "raised", "sunken", "hover"].map((back) => [ink, back, 4.5] as const),
  ),
  ...tones.flatMap((tone) =>
    [`${tone}-wash`, "ground", "surface", "raised", "sunken", "hover"].map((back) => [tone, back, 4.5] as const),
  ),
  ...tones.map((tone) => ["ink", `${tone}-wash`, 4.5] as const),
  ...tones.map((tone) => ["soft", `${tone}-wash`, 4.5] as const),
  ...labels.flatMap((label) => [[label, "sunken", 4.5] as const, [label, "surface", 4.5] as const]),
  ...["ground", "surface", "raised", "sunken", "hover", "accent-wash"].map((back) => ["accent", back, 4.5] as const),
  ["ink", "accent-wash", 4.5],
  ["soft", "accent-wash", 4.5],
  // States beside what is chosen in the palette.
  ...tones.map((tone) => [tone, "accent-wash", 4.5] as const),
  ["on-accent", "accent", 4.5],
  ["on-accent", "accent-strong", 4.5],
  ["on-bad", "bad", 4.5],
  ["on-bad", "bad-strong", 4.5],
  ...Array.from({ length: 10 }, (_, index) => [`chart-${index + 1}`, "surface", 3] as const),
  ["edge", "surface", 3],
  ["edge", "ground", 3],
  ["edge", "sunken", 3],
];

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test.each(pairs)("%s can be read on %s", (front, back, least) => {
    const [one, other] = [colors.get(front)?.[theme], colors.get(back)?.[theme]];
    expect(one, `there is no token ${front}`).toBeDefined();
    expect(other, `there is no token ${back}`).toBeDefined();
    expect(contrastOf(one ?? "", other ?? "")).toBeGreaterThanOrEqual(least);
  });
});

test("black and white are as far apart as can be, and a known pair is measured as others measure it", () => {
  expect(contrastOf("oklch(0 0 0)", "oklch(1 0 0)")).toBeCloseTo(21, 1);
  // #777777 on white is 4.48 by every tool.
  expect(contrastOf("oklch(0.5693 0 0)", "oklch(1 0 0)")).toBeCloseTo(4.48, 1);
});
