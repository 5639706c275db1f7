import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { makeLocalProbe, readLocalFacts } from "#adapter/adapters.ts";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeMeter } from "#base/meter.ts";
import { silentTrace } from "#base/trace.ts";
import { makeFakeProbe } from "#port/probe.fake.ts";
import { openScheduler } from "../scheduler.ts";
import { type LookAt, lookLoop, makeLookAt, makeLookNow } from "./loop.ts";
import { answered, facts, going, makeScene, origin, server, silent } from "./machine.scene.ts";
import type { Look, Seen } from "./machine.ts";

const manyServers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, server(`10.0.0.${n}`)]));

test("what a probe says of port 22 is what is made of a look", async () => {
  const clock = handClock();
  const probe = makeFakeProbe(clock);
  const lookAt = makeLookAt(probe, () => facts);
  const at = { document: server("node5"), mode: "ssh", origin: "lab", intervalMs: 10_000 } as const;
  expect(await lookAt(at, going())).toEqual({ look: { kind: "answered", tookMs: 0, detail: "" } });
  expect(probe.asked).toEqual([{ kind: "tcp", address: { host: "node5", port: 22 } }]);
  probe.answer(() => "refused");
  const closed = "it answers, but nothing listens on port 22";
  expect(await lookAt(at, going())).toEqual({ look: { kind: "answered", tookMs: undefined, detail: closed } });
  probe.answer(() => ({ unhealthy: "no way to the host" }));
  expect(await lookAt(at, going())).toEqual({ look: { kind: "silent", reason: "no way to the host" } });
  probe.answer(() => "hang");
  const looking = lookAt(at, going());
  await clock.turn(3_000);
  expect(await looking).toEqual({ look: { kind: "silent", reason: "no answer within 3 s" } });
  expect(await lookAt({ ...at, mode: "local" }, going())).toEqual({
    look: { kind: "answered", tookMs: 0, detail: "" },
    reading: { facts },
  });
  expect(clock.waiting).toBe(0);
});

test("real sockets: an open port is answered, a closed one is refused, and so its machine is up", async () => {
  const { machines } = makeScene();
  const listening = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  onTestFinished(() => void listening.close());
  await once(listening, "listening");
  const open = (listening.address() as AddressInfo).port;
  const closing = createServer().listen(0, "127.0.0.1");
  await once(closing, "listening");
  const closed = (closing.address() as AddressInfo).port;
  await once(closing.close(), "close");
  machines.update(
    {
      machines: {
        here: server("local"),
        open: { kind: "server", address: "127.0.0.1", port: open },
        closed: { kind: "server", address: "127.0.0.1", port: closed },
        nowhere: server("machine.invalid"),
      },
    },
    origin,
  );
  const lookAt = makeLookAt(makeLocalProbe(systemClock), readLocalFacts);
  for (let looks = 0; looks < 3; looks++) await lookLoop(machines, makeLookNow(machines, lookAt)).run(going());
  const [here, opened, refused, nowhere] = machines.list();
  expect(here).toMatchObject({ state: "online", detail: "", facts: { cores: expect.any(Number) } });
  expect(opened).toMatchObject({ state: "online", detail: "", latencyMs: expect.any(Number) });
  expect(refused).toMatchObject({ state: "online", detail: `it answers, but nothing listens on port ${closed}` });
  expect(nowhere).toMatchObject({ state: "offline", detail: expect.stringContaining("machine.invalid") });
  expect(nowhere).not.toHaveProperty("seenMs");
});

test("every machine is looked at once a run, 32 at most side by side, those that fail keep none from its turn", async () => {
  const { machines } = makeScene();
  machines.update({ machines: manyServers(100) }, origin);
  const asked: string[] = [];
  let [running, most] = [0, 0];
  const lookAt: LookAt = async ({ document }) => {
    const host = document.address ?? "";
    asked.push(host);
    running++;
    most = Math.max(most, running);
    await Promise.resolve();
    running--;
    if (Number(host.split(".")[3]) < 40) throw new Error("this one cannot be asked");
    return { look: { kind: "answered", tookMs: 1, detail: "" } };
  };
  await expect(lookLoop(machines, makeLookNow(machines, lookAt)).run(going())).rejects.toThrow(
    "this one cannot be asked",
  );
  expect(new Set(asked).size).toBe(100);
  expect(asked).toHaveLength(100);
  expect(most).toBe(32);
  expect(machines.list().filter(({ state }) => state === "online")).toHaveLength(60);
});

test("machines that the lab drops during a run are passed over", async () => {
  const { machines } = makeScene();
  machines.update({ machines: manyServers(40) }, origin);
  const asked: string[] = [];
  const lookAt: LookAt = async (target) => {
    asked.push(target.mode);
    machines.update({ machines: manyServers(1) }, origin);
    return { look: { kind: "answered", tookMs: 1, detail: "" } };
  };
  await lookLoop(machines, makeLookNow(machines, lookAt)).run(going());
  expect(asked.length).toBeLessThan(40);
  expect(machines.list()).toMatchObject([{ name: "n0", state: "online" }]);
});

test("by the scheduler: at once, then every ten seconds or so, three misses, offline, back at the first answer", async () => {
  const { machines, news, clock } = makeScene();
  const probe = makeFakeProbe(clock);
  machines.update({ machines: { node5: server() } }, origin);
  const scheduler = openScheduler({ clock, meter: makeMeter(), trace: silentTrace, random: () => 0.5 });
  scheduler.add(
    lookLoop(
      machines,
      makeLookNow(
        machines,
        makeLookAt(probe, () => facts),
      ),
    ),
  );
  await clock.turn(0);
  expect(machines.get("node5").state).toBe("online");
  probe.answer(() => "hang");
  news();
  for (const [afterMs, state] of [
    [13_000, "online"],
    [13_000, "online"],
    [13_000, "offline"],
  ] as const) {
    await clock.turn(afterMs);
    expect(machines.get("node5").state).toBe(state);
  }
  probe.answer(() => "healthy");
  await clock.turn(10_000);
  expect(news().map(([, , data]) => data)).toMatchObject([
    { from: "online", to: "offline", reason: "no answer within 3 s" },
    { from: "offline", to: "online", reason: "it answers" },
  ]);
  await scheduler.close();
  expect(clock.waiting).toBe(0);
});

/** A look that ends when the test says so. */
function makeHeldLook() {
  const asked: { readonly signal: AbortSignal; say(look: Look): void }[] = [];
  const lookAt: LookAt = (_target, signal) => {
    const { promise, resolve } = Promise.withResolvers<Seen>();
    asked.push({ signal, say: (look) => resolve({ look }) });
    return promise;
  };
  return { asked, lookAt };
}

test("many who ask at once get one look: a lost packet counts once, and the next to ask get the next look", async () => {
  const { machines } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  const { asked, lookAt } = makeHeldLook();
  const lookNow = makeLookNow(machines, lookAt);
  await Promise.all([lookNow("node5", going()), asked[0]?.say(answered)]);
  for (const [misses, state] of [
    [1, "online"],
    [2, "online"],
    [3, "offline"],
  ] as const) {
    const looking = [1, 2, 3, 4].map(() => lookNow("node5", going()));
    expect(asked).toHaveLength(1 + misses);
    asked.at(-1)?.say(silent);
    await Promise.all(looking);
    expect(machines.get("node5").state).toBe(state);
  }
});

test("who stops waiting takes the look from nobody; when nobody waits it ends, and what it sees late is not told", async () => {
  const { machines } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  const { asked, lookAt } = makeHeldLook();
  const lookNow = makeLookNow(machines, lookAt);
  const [one, other] = [new AbortController(), new AbortController()];
  const looking = [lookNow("node5", one.signal), lookNow("node5", other.signal)];
  one.abort(new Error("gone"));
  await expect(looking[0]).rejects.toThrow("gone");
  expect(asked[0]?.signal.aborted).toBe(false);
  const third = lookNow("node5", going());
  expect(asked).toHaveLength(1);
  other.abort(new Error("gone too"));
  await expect(looking[1]).rejects.toThrow("gone too");
  asked[0]?.say(answered);
  await third;
  expect(machines.get("node5").state).toBe("online");

  const last = new AbortController();
  const left = lookNow("node5", last.signal);
  last.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(asked[1]?.signal.aborted).toBe(true);
  asked[1]?.say(silent);
  const again = lookNow("node5", going());
  expect(asked).toHaveLength(3);
  asked[2]?.say(answered);
  await again;
  expect(machines.get("node5").detail).toBe("");
});

test("a machine that moved while it was looked at is looked at where it is now", async () => {
  const { machines } = makeScene();
  machines.update({ machines: { node5: server() } }, origin);
  const { asked, lookAt } = makeHeldLook();
  const lookNow = makeLookNow(machines, lookAt);
  const before = lookNow("node5", going());
  machines.update({ machines: { node5: server("10.0.0.9") } }, origin);
  const after = lookNow("node5", going());
  expect(asked).toHaveLength(2);
  asked[1]?.say(answered);
  await after;
  asked[0]?.say(silent);
  await before;
  expect(machines.get("node5")).toMatchObject({ state: "online", detail: "" });
});
