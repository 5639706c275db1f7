import { describe, expect, test } from "vitest";
import type { Verdict } from "#wire/event.ts";
import { dropGuards, makeScene, origin, say } from "./event.scene.ts";

const retention = { maxAgeMs: 1e15, maxEvents: 20, maxBytes: 1e15 };

describe("a head that was noted", () => {
  const headOf = (verdict: Verdict) => {
    if (verdict.kind !== "sound") throw new Error(`not sound: ${verdict.reason}`);
    return { sequence: verdict.last, hash: verdict.head };
  };
  const startAnew = (scene: ReturnType<typeof makeScene>, text: string) => {
    dropGuards(scene);
    scene.db.tx((tx) => tx.run(text));
    return scene.reopen();
  };

  test("is in the chain as long as it is kept, also as its base", async () => {
    const { log, reopen } = makeScene({ retention });
    say(log, 15);
    const noted = headOf(await log.verify());
    expect(await log.verify(noted)).toMatchObject({ kind: "sound", base: "", head: noted.hash });
    say(log, 19);
    log.trim(origin);
    const trimmed = await log.verify(noted);
    expect(trimmed).toMatchObject({ kind: "sound", base: noted.hash, first: 16 });
    expect(await reopen().verify(noted)).toEqual(trimmed);
    say(log, 5);
    log.trim(origin);
    expect(await log.verify(noted)).toMatchObject({
      ...{ kind: "parted", sequence: 15, reason: expect.stringContaining("event 15 is no longer kept") },
    });
  });

  test("shows what was done to the end between two hubs, which the chain alone cannot show", async () => {
    const scene = makeScene();
    say(scene.log, 9);
    const noted = headOf(await scene.log.verify());
    const cut = startAnew(scene, "DELETE FROM event WHERE sequence > 6");
    expect(await cut.verify()).toMatchObject({ kind: "sound", last: 6 });
    expect(await cut.verify(noted)).toEqual({
      ...{ kind: "parted", sequence: 9 },
      reason: "event 9 is missing: the log ends with event 6, so its end was cut off",
    });
    say(cut, 4, "machine:b");
    expect(await cut.verify()).toMatchObject({ kind: "sound", last: 10 });
    expect(await cut.verify(noted)).toMatchObject({
      ...{ kind: "parted", sequence: 9, reason: expect.stringContaining("not the one that was noted") },
    });
    expect(await cut.verify(headOf(await cut.verify()))).toMatchObject({ kind: "sound" });
  });

  test("does not hide that the chain is broken", async () => {
    const scene = makeScene();
    const { log, db } = scene;
    say(log, 9);
    const noted = headOf(await log.verify());
    dropGuards(scene);
    db.tx((tx) => tx.run("UPDATE event SET actor = 'nobody' WHERE sequence = 3"));
    expect(await log.verify(noted)).toMatchObject({ kind: "broken", sequence: 3 });
  });

  test("is not in an empty log", async () => {
    const { log } = makeScene();
    expect(await log.verify({ sequence: 1, hash: "0".repeat(64) })).toMatchObject({ kind: "parted", sequence: 1 });
  });
});
