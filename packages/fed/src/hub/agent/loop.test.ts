import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeTrace } from "#base/trace.ts";
import { hashSecret } from "#hub/user/secret.ts";
import { going, joinAs, kit, makeScene, origin, type Scene } from "./agent.scene.ts";
import { markOf } from "./agent.ts";

/** An upload that is written by hand. */
function openUpload() {
  const chunks: Uint8Array[] = [];
  let ended = false;
  let wake = () => {};
  const bytes = (async function* () {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk) yield chunk;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  })();
  return {
    bytes,
    send(text: string) {
      chunks.push(Buffer.from(text));
      wake();
    },
    end() {
      ended = true;
      wake();
    },
  };
}

const greeting = { now: 1_700_000_000, last: 0, dropped: 0, version: kit.version, refused: "" };

/** A machine that reports; what it has heard is in `lines`. */
function connect(scene: Scene, machine: string, credential: string, more: Partial<typeof greeting> = {}) {
  const upload = openUpload();
  const stop = new AbortController();
  onTestFinished(() => stop.abort(new Error("the test is over")));
  const lines: string[] = [];
  const now = Math.floor(scene.clock.nowMs() / 1_000);
  const context = { signal: stop.signal, upload: upload.bytes, correlation: "cor_3" };
  const items = scene.agents.report(machine, { ...greeting, now, ...more }, context);
  const done = (async () => {
    for await (const line of items) lines.push(line);
  })().then(
    () => "ended",
    (thrown: unknown) => String(thrown),
  );
  const mark = markOf({ credential: hashSecret(credential) });
  const tick = (sequence: number, ms = scene.clock.nowMs(), text = "") => `${mark} ${sequence} ${ms} ${text}\n`;
  const heard = (line: string) => vi.waitFor(() => expect(lines).toContain(line), { interval: 1 });
  return { ...upload, lines, done, tick, heard, stop: () => stop.abort(new Error("it has gone")) };
}

const sequences = (scene: Scene) => scene.taken.map(({ sequence }) => sequence);

test("ticks are taken in order under the machine's own time, and acknowledged when they are kept", async () => {
  const scene = makeScene();
  const gate = Promise.withResolvers<void>();
  scene.keeping.work = () => gate.promise;
  const one = connect(scene, "node5", joinAs(scene.agents, "node5"));
  one.send(one.tick(1, scene.clock.nowMs() - 3_600_000, "old"));
  one.send(one.tick(2));
  await one.heard("rate 10 10");
  expect(one.lines).toEqual(["hello node5", "ack 0", "rate 10 10"]);
  gate.resolve();
  await one.heard("ack 2");
  expect(scene.taken).toEqual([
    { machine: "node5", sequence: 1, machineMs: scene.clock.nowMs() - 3_600_000, text: "old" },
    { machine: "node5", sequence: 2, machineMs: scene.clock.nowMs(), text: "" },
  ]);
});

test("each tick is kept once, wherever the connection breaks and the hub restarts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ from: fc.nat(30), count: fc.integer({ min: 0, max: 12 }), restart: fc.boolean() }), {
        maxLength: 8,
      }),
      async (parts) => {
        const scene = makeScene();
        const credential = joinAs(scene.agents, "node5");
        let made = 0;
        for (const { from, count, restart } of parts) {
          const agents = restart ? scene.reopen() : scene.agents;
          const one = connect({ ...scene, agents }, "node5", credential);
          // What it is not sure that the hub has, it sends again; never does it leave one out.
          const begin = Math.max(1, made - from);
          for (let n = begin; n < begin + count || n <= made; n++) one.send(one.tick(n));
          made = Math.max(made, begin + count - 1);
          one.end();
          expect(await one.done).toBe("ended");
          if (made > 0) expect(one.lines).toContain(`ack ${made}`);
        }
        expect(sequences(scene)).toEqual(Array.from({ length: made }, (_, n) => n + 1));
      },
    ),
    { numRuns: 40 },
  );
});

test("what cannot be kept is not acknowledged, and taken when it comes again", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  scene.keeping.work = async (sequence) => {
    if (sequence === 2) throw new Fault("unreachable", "the disk is full");
  };
  const one = connect(scene, "node5", credential);
  one.send(one.tick(1) + one.tick(2) + one.tick(3));
  expect(await one.done).toContain("the disk is full");
  expect(one.lines.at(-1)).toBe("ack 1");
  scene.keeping.work = async () => undefined;
  const two = connect(scene, "node5", credential);
  two.send(two.tick(2) + two.tick(3));
  await two.heard("ack 3");
  expect(sequences(scene)).toEqual([1, 2, 3]);
});

test("a machine reports as no other, whatever it says", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const other = joinAs(scene.agents, "node6");
  expect(scene.agents.identify(credential)).toMatchObject({ name: "node5" });
  const one = connect(scene, "node5", credential);
  // The other one's program has another mark.
  const two = connect(scene, "node6", credential);
  one.send(one.tick(1, undefined, "machine=node6"));
  two.send(two.tick(1, undefined, "for-node6"));
  await one.heard("ack 1");
  await two.heard("skip 0");
  expect(scene.taken.map(({ machine }) => machine)).toEqual(["node5"]);
  expect(scene.agents.identify(other)).toMatchObject({ name: "node6" });
});

test("what cannot be read is left out, told as a problem, and stops nothing that follows", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const one = connect(scene, "node5", credential);
  one.send(one.tick(1));
  await one.heard("ack 1");
  one.send("\0\0\0 nonsense\n");
  await one.heard("skip 1");
  expect(scene.tellings.at(-1)).toMatchObject({ machine: "node5", asked: ["agent"], failures: [{ section: "agent" }] });
  one.send("heard out\n");
  one.end();
  expect(await one.done).toBe("ended");
  const two = connect(scene, "node5", credential);
  two.send(two.tick(3));
  await two.heard("ack 3");
  expect(sequences(scene)).toEqual([1, 3]);
  expect(scene.tellings.at(-1)).toMatchObject({ asked: ["agent", "clock"], failures: [] });
});

test("the pace goes up while somebody watches, and down again", async () => {
  const scene = makeScene();
  const one = connect(scene, "node5", joinAs(scene.agents, "node5"));
  await one.heard("rate 10 10");
  scene.pace.ms = 1_000;
  scene.pace.moved.send();
  await one.heard("rate 1 10");
  scene.pace.ms = 10_000;
  scene.pace.moved.send();
  await vi.waitFor(() => expect(one.lines.at(-1)).toBe("rate 10 10"));
});

test("another version is offered, but not one that did not come up there", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const old = connect(scene, "node5", credential, { version: "bb22" });
  await old.heard(`update ${kit.version}`);
  old.stop();
  const back = connect(scene, "node5", credential, { version: "bb22", refused: kit.version });
  await back.heard("rate 10 10");
  expect(back.lines).not.toContain(`update ${kit.version}`);
  expect(scene.tellings.at(-1)?.failures).toMatchObject([{ section: "agent", reason: /did not come up there/ }]);
});

test("a machine that a hub hears for the first time since it began is asked to tell everything anew, once", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const one = connect(scene, "node5", credential);
  one.send(one.tick(1));
  await one.heard("ack 1");
  one.stop();
  await one.done;
  const agents = scene.reopen();
  for (const asked of [true, false]) {
    const back = connect({ ...scene, agents }, "node5", credential);
    await back.heard("rate 10 10");
    expect([one.lines.includes("anew"), back.lines.includes("anew")]).toEqual([false, asked]);
    back.stop();
    await back.done;
  }
  // A new version begins anew by itself.
  const old = connect({ ...scene, agents: scene.reopen() }, "node5", credential, { version: "bb22" });
  await old.heard(`update ${kit.version}`);
  expect(old.lines).not.toContain("anew");
});

test("what a machine had no room for is told", async () => {
  const scene = makeScene();
  const one = connect(scene, "node5", joinAs(scene.agents, "node5"), { dropped: 12 });
  await one.heard("rate 10 10");
  expect(scene.told.at(-1)).toMatchObject({
    ...{ type: "machine.ticksLost", subject: "machine:node5", data: { ticks: 12 } },
  });
});

test("a clock that is wrong is a problem until it is right", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const one = connect(scene, "node5", credential, { now: Math.floor(scene.clock.nowMs() / 1_000) - 7_200 });
  one.send(one.tick(1, scene.clock.nowMs() - 7_200_000));
  await one.heard("ack 1");
  expect(scene.tellings.at(-1)?.failures).toMatchObject([{ section: "clock", reason: /2 h behind the hub's/ }]);
  expect(Math.abs((scene.taken[0]?.machineMs ?? 0) - scene.clock.nowMs())).toBeLessThan(1_000);
  for (let n = 2; n < 9; n++) one.send(one.tick(n));
  await one.heard("ack 8");
  expect(scene.tellings.at(-1)).toMatchObject({ asked: ["clock"], failures: [] });
});

test("one that says nothing for too long is cut off, and a newer connection ends the one before", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const one = connect(scene, "node5", credential);
  await one.heard("rate 10 10");
  const two = connect(scene, "node5", credential);
  expect(await one.done).toContain("another connection");
  await two.heard("rate 10 10");
  await scene.clock.turn(74_000);
  two.send(two.tick(1));
  await two.heard("ack 1");
  await scene.clock.turn(74_000);
  await scene.clock.turn(1_100);
  expect(await two.done).toContain("has said nothing for too long");
});

test("who floods is held back", async () => {
  const scene = makeScene();
  const one = connect(scene, "node5", joinAs(scene.agents, "node5"));
  one.send(Array.from({ length: 1_000 }, (_, n) => one.tick(n + 1)).join(""));
  await one.heard("ack 200");
  await scene.clock.turn(1_000);
  expect(sequences(scene).length).toBeGreaterThan(240);
  expect(sequences(scene).length).toBeLessThan(260);
  await scene.clock.turn(20_000);
  expect(sequences(scene).length).toBe(1_000);
});

test("who floods in connection after connection is held back as well, and fills neither history nor diary", async () => {
  const diary: string[] = [];
  const scene = makeScene({ trace: makeTrace(Date.now, "debug", ({ message }) => void diary.push(message)) });
  const credential = joinAs(scene.agents, "node5");
  const lost = () => scene.told.flatMap(({ type, data }) => (type === "machine.ticksLost" ? [data] : []));
  for (let n = 0; n < 10; n++) {
    const one = connect(scene, "node5", credential, { dropped: 7 });
    one.send(Array.from({ length: 100 }, (_, at) => one.tick(n * 100 + at + 1)).join(""));
    if (n < 2) await one.heard(`ack ${(n + 1) * 100}`);
    else await one.heard("rate 10 10");
    one.send("nonsense\n");
    one.stop();
    await one.done;
  }
  expect(sequences(scene)).toHaveLength(200);
  expect(lost()).toEqual([{ ticks: 7 }]);
  for (let n = 0; n < 10; n++) {
    const one = connect(scene, "node5", credential);
    one.send("nonsense\n");
    await one.heard("skip 200");
    one.stop();
    await one.done;
  }
  expect(diary).toEqual(["a machine says what its program cannot say"]);
  await scene.clock.turn(60_000);
  await connect(scene, "node5", credential).heard("rate 10 10");
  expect(lost()).toEqual([{ ticks: 7 }, { ticks: 63 }]);
});

test("one that is removed is told so, and its credential ends when it has gone", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  const one = connect(scene, "node5", credential);
  await one.heard("rate 10 10");
  const removed = scene.agents.remove("node5", origin, going());
  await one.heard("uninstall");
  one.send(one.tick(1));
  scene.agents.left("node5", origin);
  expect(await removed).toBe(true);
  expect(scene.taken).toEqual([]);
  expect(scene.agents.identify(credential)).toEqual({ kind: "nobody" });
  expect(scene.told.map(({ type }) => type)).toContain("machine.removed");
});

test("one that is away when it is removed is told when it reports next", async () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  expect(await scene.agents.remove("node5", origin, going())).toBe(false);
  const one = connect(scene, "node5", credential);
  await one.heard("uninstall");
  one.send(one.tick(1));
  scene.agents.left("node5", origin);
  expect(await one.done).toContain("has left");
  expect(scene.taken).toEqual([]);
});

test("only who was told to go is forgotten by saying that it has gone", () => {
  const scene = makeScene();
  const credential = joinAs(scene.agents, "node5");
  scene.agents.left("node5", origin);
  expect(scene.agents.identify(credential)).toMatchObject({ name: "node5" });
});
