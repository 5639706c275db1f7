import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { tempFolder } from "#disk/fixture.ts";
import { type Labels, labelsOf } from "../series/labels.ts";
import { openTsdb, type Tsdb } from "./tsdb.ts";

const startMs = 1_700_006_400_000;
const [a, b] = [labelsOf({ __name__: "up", job: "a" }), labelsOf({ __name__: "up", job: "b" })];

const row = (labels: Labels, seconds: number) => ({
  labels: [labels],
  times: Float64Array.of(startMs + seconds * 1_000),
  values: Float64Array.of(seconds),
});

/** Seconds after the start at which each series has samples, by its job. */
async function heldIn(store: Tsdb): Promise<Readonly<Record<string, readonly number[]>>> {
  const held: Record<string, readonly number[]> = {};
  const everything = { matchers: [], startMs: 0, endMs: Number.MAX_SAFE_INTEGER };
  for await (const found of store.select(everything, new AbortController().signal)) {
    for (const { labels, times } of found)
      held[labels.at(-1) ?? ""] = Array.from(times, (ms) => (ms - startMs) / 1_000);
  }
  return held;
}

it.each([
  ["alone", false],
  ["beside another", true],
])("a series that is deleted and comes again in one commit is there after a start, %s", async (_, beside) => {
  const folder = tempFolder();
  const clock = handClock(startMs + 3_600_000);
  const store = await openTsdb(folder, { clock, commitWindowMs: 200 });
  const done = async (what: Promise<unknown>) => {
    let open = true;
    const ended = what.finally(() => {
      open = false;
    });
    while (open) {
      await clock.turn(200);
      await setImmediate();
    }
    await ended;
  };
  if (beside) await done(store.append(row(b, 0)));
  await done(store.append(row(a, 0)));
  // As the thread of the store does with each series that it is told: its number stays.
  store.name(a);
  const removal = {
    matchers: [{ name: "job", kind: "=", value: "a" }] as const,
    startMs: 0,
    endMs: Number.MAX_SAFE_INTEGER,
  };
  // One after the other, in the window of one commit.
  const all: Promise<unknown>[] = [];
  for (const start of [() => store.append(row(a, 1)), () => store.delete(removal), () => store.append(row(a, 2))]) {
    all.push(start());
    for (let turns = 0; turns < 100; turns++) await setImmediate();
  }
  await done(Promise.all(all));
  const before = await heldIn(store);
  await done(store.close());

  const again = await openTsdb(folder, { clock });
  expect(await heldIn(again)).toEqual(before);
  await done(again.close());
});
