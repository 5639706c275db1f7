import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeFakeIngress } from "./ingress.fake.ts";
import type { IngressRoute } from "./ingress.ts";

const never = new AbortController().signal;
const target = { instance: "a", host: "127.0.0.1", port: 1 };
const route: IngressRoute = { match: { kind: "host", host: "api.localhost" }, service: "dev/api", targets: [target] };
const door: IngressRoute = { match: { kind: "door", port: 9000, protocol: "tcp" }, service: "dev/db", targets: [] };

test("switches are remembered and counted", async () => {
  const ingress = makeFakeIngress(handClock());
  expect(await ingress.apply([route], never)).toEqual({ generation: 1 });
  expect(await ingress.apply([], never)).toEqual({ generation: 2 });
  expect(ingress.applied).toEqual([[route], []]);
  expect(await ingress.status(never)).toEqual({ generation: 2, routes: [], inFlight: {} });
});

test("a taken port, or a name claimed twice, is a conflict and changes nothing", async () => {
  const ingress = makeFakeIngress(handClock());
  ingress.takenPorts.add(9000);
  await expect(ingress.apply([route, door], never)).rejects.toMatchObject({ code: "conflict" });
  await expect(ingress.apply([route, route], never)).rejects.toMatchObject({ code: "conflict" });
  expect(ingress.applied).toEqual([]);
});

test("drain waits for what is in flight", async () => {
  const ingress = makeFakeIngress(handClock());
  ingress.setInFlight("a", 2);
  const drain = ingress.drain("a", 1000, never);
  ingress.setInFlight("a", 1);
  expect((await ingress.status(never)).inFlight).toEqual({ a: 1 });
  ingress.setInFlight("a", 0);
  expect(await drain).toEqual({ kind: "drained" });
  expect(ingress.drained).toEqual(["a"]);
});

test("at the deadline drain says what is left and forgets it", async () => {
  const clock = handClock();
  const ingress = makeFakeIngress(clock);
  ingress.setInFlight("a", 2);
  const drain = ingress.drain("a", 1000, never);
  await clock.turn(1000);
  expect(await drain).toEqual({ kind: "deadline", inFlight: 2 });
  expect((await ingress.status(never)).inFlight).toEqual({});
});

test("a target is not drained, and a drain can be given up", async () => {
  const ingress = makeFakeIngress(handClock());
  await ingress.apply([route], never);
  await expect(ingress.drain("a", 1000, never)).rejects.toMatchObject({ code: "conflict" });
  await ingress.apply([], never);
  ingress.setInFlight("a", 1);
  const controller = new AbortController();
  const drain = ingress.drain("a", 1000, controller.signal);
  controller.abort(new Error("given up"));
  await expect(drain).rejects.toThrow("given up");
});
