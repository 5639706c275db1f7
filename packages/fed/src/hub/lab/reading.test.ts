import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { LoadedLab, RejectedLab } from "./load.ts";
import { rereadWhenChanged } from "./reading.ts";

/** A lab of two files; `aheadMs`: so long after the last of them was written it is read. */
function makeLab(aheadMs = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), "fed-reading-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = ["lab.ts", "part.ts"].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, "one");
  let reads = 0;
  let kind: "loaded" | "rejected" = "loaded";
  const read = async () => {
    reads++;
    return { kind, files } as unknown as LoadedLab | RejectedLab;
  };
  const again = rereadWhenChanged(read, { nowMs: () => Date.now() + aheadMs });
  return {
    ...{ folder, part: files[1] ?? "" },
    /** How often it was read for this. */
    async load() {
      const before = reads;
      await again();
      return reads - before;
    },
    refuse: () => {
      kind = "rejected";
    },
  };
}

test("a lab whose files have not changed is not read again", async () => {
  const { load } = makeLab();
  expect([await load(), await load(), await load()]).toEqual([1, 0, 0]);
});

test.each([
  ["written", ({ part }) => writeFileSync(part, "two")],
  ["written with the same length", ({ part }) => writeFileSync(part, "eno")],
  [
    "replaced by an older one",
    ({ folder, part }) => {
      const other = join(folder, "other");
      writeFileSync(other, "old");
      utimesSync(other, 1, 1);
      renameSync(other, part);
    },
  ],
  ["gone", ({ part }) => rmSync(part)],
] satisfies readonly [string, (lab: { folder: string; part: string }) => void][])(
  "one of whose files was %s is read again",
  async (_what, change) => {
    const lab = makeLab();
    await lab.load();
    change(lab);
    expect(await lab.load()).toBe(1);
  },
);

test("what may have been written while it was read is read again, and so is what was refused", async () => {
  const fresh = makeLab(0);
  expect([await fresh.load(), await fresh.load()]).toEqual([1, 1]);
  const bad = makeLab();
  bad.refuse();
  expect([await bad.load(), await bad.load()]).toEqual([1, 1]);
});
