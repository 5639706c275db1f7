import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { type FileWatch, watchFiles } from "./watch.ts";

let folder: string;
let lab: string;
let watching: FileWatch | undefined;
beforeEach(() => {
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), "fed-watch-"))), "lab");
  lab = join(folder, "lab.ts");
  mkdirSync(folder);
  writeFileSync(lab, "0");
});
afterEach(() => {
  watching?.close();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

/** Watches, and hands out changes one by one; waits for those to come. */
function start(files: readonly string[]) {
  let count = 0;
  let wake = () => {};
  watching = watchFiles(
    files,
    folder,
    () => {
      count++;
      wake();
    },
    { clock: systemClock, settleMs: 20 },
  );
  return {
    get count() {
      return count;
    },
    async next() {
      if (count === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      count = 0;
    },
  };
}

let beacons = 0;
/** Settles when the system has told this process of everything up to now in this folder. */
async function heard(path: string) {
  const beacon = `beacon-${beacons++}`;
  const own = watch(path);
  const seen = new Promise<void>((resolve) => own.on("change", (_, name) => name === beacon && resolve()));
  writeFileSync(join(path, beacon), "");
  await seen;
  own.close();
}

it.each<[string, () => void]>([
  ["writes in place", () => appendFileSync(lab, "x")],
  [
    "writes anew and renames",
    () => {
      writeFileSync(`${lab}.tmp`, "x");
      renameSync(`${lab}.tmp`, lab);
    },
  ],
  [
    "moves the old away and writes anew",
    () => {
      renameSync(lab, `${lab}~`);
      writeFileSync(lab, "x");
      unlinkSync(`${lab}~`);
    },
  ],
  [
    "deletes and creates",
    () => {
      unlinkSync(lab);
      writeFileSync(lab, "x");
    },
  ],
])("hears an editor that %s, again and again", async (_, save) => {
  const changes = start([lab]);
  for (let time = 0; time < 5; time++) {
    save();
    await changes.next();
  }
});

it("hears of a deleted file, and of one that comes back", async () => {
  const changes = start([lab]);
  unlinkSync(lab);
  await changes.next();
  writeFileSync(lab, "x");
  await changes.next();
});

it("hears of a missing file in a missing folder when it comes", async () => {
  const file = join(folder, "a/b/part.ts");
  const changes = start([lab, file]);
  mkdirSync(join(folder, "a"));
  await changes.next();
  mkdirSync(join(folder, "a/b"));
  await changes.next();
  writeFileSync(file, "x");
  await changes.next();
});

it("goes on after a folder was replaced, also the lab's own", async () => {
  const file = join(folder, "a/part.ts");
  mkdirSync(join(folder, "a"));
  writeFileSync(file, "0");
  const changes = start([lab, file]);
  for (const replaced of [join(folder, "a"), folder]) {
    renameSync(replaced, `${replaced}.old`);
    await changes.next();
    mkdirSync(join(folder, "a"), { recursive: true });
    writeFileSync(file, "1");
    await changes.next();
    appendFileSync(file, "2");
    await changes.next();
  }
});

it("makes one of many changes, and waits until it is quiet, but not for ever", async () => {
  const clock = handClock();
  const calls: number[] = [];
  watching = watchFiles([lab], folder, () => calls.push(clock.tickMs()), { clock, settleMs: 50 });
  for (let time = 0; time < 20; time++) {
    appendFileSync(lab, "x");
    await heard(folder);
    await clock.turn(40);
  }
  await clock.turn(50);
  // 19 pauses of 40 ms: too short to be quiet. The first call comes at the longest wait, the second after the end.
  expect(calls).toEqual([500, 810]);
  expect(clock.waiting).toBe(0);
});

it("does not mind other files", async () => {
  const clock = handClock();
  mkdirSync(join(folder, "logs"));
  watching = watchFiles([lab], folder, () => {}, { clock });
  writeFileSync(join(folder, "other.ts"), "x");
  writeFileSync(join(folder, "logs/lab.ts"), "x");
  writeFileSync(join(folder, "../lab.ts"), "x");
  await heard(folder);
  expect(clock.waiting).toBe(0);
  appendFileSync(lab, "x");
  await heard(folder);
  expect(clock.waiting).toBe(1);
});

it("takes other files, and forgets those before", async () => {
  const clock = handClock();
  const part = join(folder, "a/part.ts");
  mkdirSync(join(folder, "a"));
  watching = watchFiles([lab], folder, () => {}, { clock });
  watching.update([part]);
  appendFileSync(lab, "x");
  await heard(folder);
  expect(clock.waiting).toBe(0);
  writeFileSync(part, "x");
  await heard(join(folder, "a"));
  expect(clock.waiting).toBe(1);
});

it("is silent once closed", async () => {
  const clock = handClock();
  watching = watchFiles([lab], folder, () => expect.fail("called"), { clock });
  appendFileSync(lab, "x");
  await heard(folder);
  watching.close();
  watching.update([lab]);
  appendFileSync(lab, "x");
  await heard(folder);
  expect(clock.waiting).toBe(0);
  await clock.turn(1_000);
});
