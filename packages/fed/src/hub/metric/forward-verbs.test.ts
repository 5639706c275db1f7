import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { MetricsDocument } from "@fed/lab";
import { uncompress } from "snappyjs";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Clock, systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeMeter } from "#base/meter.ts";
import { silentTrace } from "#base/trace.ts";
import { tempFolder } from "#disk/fixture.ts";
import { readWriteRequest } from "#engine/exposition/remote-write.ts";
import { labelsOf, labelValue } from "#engine/series/labels.ts";
import { openTsdb, type Tsdb } from "#engine/tsdb/tsdb.ts";
import { eventOfTurn, openForwarding, type Turn } from "./forward-verbs.ts";

/** Somebody who takes remote write, and notes for each series what came, in its order. */
async function openTarget(answer: (request: IncomingMessage, response: ServerResponse, nth: number) => boolean) {
  const came = new Map<string, number[]>();
  const headers: IncomingMessage["headers"][] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    headers.push(request.headers);
    if (!answer(request, response, headers.length)) return;
    readWriteRequest(uncompress(new Uint8Array(Buffer.concat(parts))), {
      series(_key, labels, times) {
        const key = labelValue(labels(), "nth");
        came.set(key, [...(came.get(key) ?? []), ...times]);
      },
    });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/api/v1/write`, came, headers };
}

const labels = Array.from({ length: 3 }, (_, nth) => labelsOf({ __name__: "m", nth: `${nth}` }));
const startMs = Date.now() - 600_000;

async function append(store: Tsdb, from: number, to: number): Promise<readonly number[]> {
  const all = Array.from({ length: to - from }, (_, i) => startMs + (from + i) * 1_000);
  for (const timeMs of all) {
    await store.append({ labels, times: new Float64Array(labels.length).fill(timeMs), values: new Float64Array(3) });
  }
  return all;
}

/** Waits a twentieth of the time: these are real requests, which no hand-turned clock moves. */
const fastClock: Clock = { ...systemClock, after: (delayMs, wake) => systemClock.after(delayMs / 20, wake) };

async function openHere(folder = tempFolder()) {
  const store = await openTsdb(folder, { clock: systemClock });
  const turns: Turn[] = [];
  const secrets = new Map<string, string>();
  const meter = makeMeter();
  const forwarding = openForwarding({
    ...{ clock: fastClock, trace: silentTrace, meter, version: "1.2.3", firstMs: 0, random: () => 0 },
    outbox: async () => store.outbox,
    readSecret: async (name) => secrets.get(name) ?? "",
    turned: (_target, turn) => void turns.push(turn),
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= forwarding.close().then(() => store.close());
    return closed;
  };
  onTestFinished(close);
  const follow = async (metrics: MetricsDocument | undefined) => {
    forwarding.update(metrics);
    const wanted = Object.keys(metrics?.remoteWrite ?? {}).sort();
    await vi.waitFor(async () =>
      expect((await store.outbox.backlog()).map(({ target }) => target).sort()).toEqual(wanted),
    );
  };
  return { store, forwarding, turns, secrets, meter, close, follow };
}

const wait = (what: () => void | Promise<void>) => vi.waitFor(what, { timeout: 10_000, interval: 10 });

test("a target has all, in order, with the headers of remote write, over a restart", async () => {
  const far = await openTarget(() => true);
  const folder = tempFolder();
  const first = await openHere(folder);
  await first.follow({ remoteWrite: { far: { url: far.url } } });
  const times = [...(await append(first.store, 0, 5))];
  await wait(() => expect(far.came.get("2")).toEqual(times));
  expect(far.headers[0]).toMatchObject({
    ...{ "content-type": "application/x-protobuf", "content-encoding": "snappy", "user-agent": "fed/1.2.3" },
    "x-prometheus-remote-write-version": "0.1.0",
  });
  // It is counted when the answer has come, which is after the target has it; what it has not answered is sent again.
  await wait(() => expect(first.meter.render()).toContain('fed_remote_write_samples_total{target="far"} 15\n'));
  await first.close();
  const second = await openHere(folder);
  times.push(...(await append(second.store, 5, 9)));
  await second.follow({ remoteWrite: { far: { url: far.url } } });
  await wait(() => expect(far.came.get("2")).toEqual(times));
  await wait(() => expect(second.meter.render()).toContain('fed_remote_write_samples_total{target="far"} 12\n'));
  expect(second.turns).toEqual([]);
});

test("targets come, change and go with the lab", async () => {
  const [near, far] = [await openTarget(() => true), await openTarget(() => true)];
  const { store, follow, forwarding } = await openHere();
  await follow(undefined);
  await append(store, 0, 2);
  await follow({ remoteWrite: { near: { url: near.url, only: ['{nth="1"}'] } } });
  const second = await append(store, 2, 4);
  await wait(() => expect(near.came).toEqual(new Map([["1", second]])));
  await follow({ remoteWrite: { near: { url: near.url }, far: { url: far.url, drop: ['{nth="0"}'] } } });
  const third = await append(store, 4, 6);
  await wait(() => expect(near.came.get("0")).toEqual(third));
  await wait(() => expect(far.came.get("2")).toEqual(third));
  expect(far.came.has("0")).toBe(false);
  await follow({});
  await append(store, 6, 8);
  expect(await store.outbox.backlog()).toEqual([]);
  expect(await forwarding.list()).toEqual([]);
  expect(near.came.get("0")).toEqual(third);
});

test("whatever a target does, it has all in the end, and each turn is told once", async () => {
  let password = "right";
  const far = await openTarget((request, response, nth) => {
    if (nth === 1) return !response.writeHead(500).end("out of order");
    if (nth === 2) return !request.socket.destroy();
    if (nth === 3) return !response.writeHead(429, { "retry-after": "0" }).end();
    if (nth === 4) return !response.writeHead(302, { location: "/elsewhere" }).end();
    if (nth === 5) return !response.socket?.end("nonsense\r\n\r\n");
    const good = request.headers.authorization === `Bearer ${password}`;
    return good || !response.writeHead(401).end("who are you?");
  });
  const { store, follow, forwarding, turns, secrets } = await openHere();
  secrets.set("TOKEN", "old");
  await follow({ remoteWrite: { far: { url: far.url, auth: { token: { secret: "TOKEN" } } } } });
  const times = await append(store, 0, 3);
  await wait(() => expect(far.headers.length).toBeGreaterThan(6));
  const [shown] = await forwarding.list();
  expect(shown).toMatchObject({ state: "failing", sentSamples: 0, lastError: { kind: "closed" } });
  expect(shown?.lastError?.reason).toBe("it answers 401: who are you?");
  expect(shown?.pendingBytes).toBeGreaterThan(0);
  password = "old";
  await wait(() => expect(far.came.get("1")).toEqual(times));
  await wait(() => expect(turns.map(({ kind }) => kind)).toEqual(["failed", "recovered"]));
  expect(turns.map(eventOfTurn)[1]).toEqual({ type: "remoteWrite.recovered" });
});

test("targets that cannot be taken up yet are shown, with the reason", async () => {
  const clock = handClock();
  let ready = false;
  const store = await openTsdb(tempFolder(), { clock: systemClock });
  const forwarding = openForwarding({
    ...{ clock, trace: silentTrace, meter: makeMeter(), version: "1.2.3", turned: () => undefined },
    async outbox() {
      if (!ready) throw new Fault("conflict", "somebody else has the store");
      return store.outbox;
    },
    readSecret: async () => "",
  });
  onTestFinished(async () => {
    await forwarding.close();
    await store.close();
  });
  forwarding.update({ remoteWrite: { far: { url: "http://127.0.0.1:9/" } } });
  expect(await forwarding.list()).toMatchObject([{ name: "far", state: "sending" }]);
  await clock.turn(1_000);
  const lastError = { kind: "later", reason: "somebody else has the store" };
  expect(await forwarding.list()).toMatchObject([{ name: "far", state: "failing", lastError }]);
  ready = true;
  await clock.turn(10_000);
  await wait(async () => expect(await store.outbox.backlog()).toHaveLength(1));
  await wait(async () => expect(await forwarding.list()).toMatchObject([{ name: "far", state: "sending" }]));
});

test("a target that never answers does not keep the hub from ending", async () => {
  const far = await openTarget(() => false);
  const { store, follow, close } = await openHere();
  await follow({ remoteWrite: { far: { url: far.url } } });
  await append(store, 0, 1);
  await wait(() => expect(far.headers.length).toBe(1));
  const beganMs = performance.now();
  await close();
  expect(performance.now() - beganMs).toBeLessThan(2_000);
});
