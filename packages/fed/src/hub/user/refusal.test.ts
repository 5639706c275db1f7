import { expect, test } from "vitest";
import { everything, makeScene as makeLogScene } from "#hub/event/event.scene.ts";
import type { Caller } from "#wire/handler.ts";
import { linesAMinute, makeRefusals } from "./refusal.ts";

const ada: Caller = {
  ...{ kind: "user", userId: "usr_1", name: "ada", role: "viewer" },
  session: { id: "ses_1", kind: "browser" },
};
const ci: Caller = { kind: "token", tokenId: "tok_1", name: "ci", role: "viewer" };
const refusal = {
  endpoint: "addUser",
  reason: "this needs the role admin",
  caller: ada,
  address: "192.0.2.1",
  correlation: "cor_4",
};
const minuteMs = 60_000;

function makeRefusalScene() {
  const { log, clock } = makeLogScene();
  const refusals = makeRefusals(log, clock);
  const events = () => log.list({ ...everything, before: undefined, sinceMs: undefined, limit: 1_000 }).toReversed();
  return { refusals, clock, log, events };
}

test("a refusal names who, what, why and from where", () => {
  const { refusals, events } = makeRefusalScene();
  refusals.record(refusal);
  expect(events()).toMatchObject([
    {
      ...{ type: "access.refused", actor: "user:ada", subject: "user:ada", correlation: "cor_4" },
      data: { endpoint: "addUser", reason: "this needs the role admin", address: "192.0.2.1" },
    },
  ]);
});

test.each<[caller: Caller, actor: string, subject: string]>([
  [ci, "token:ci/tok_1", "token:ci"],
  [{ kind: "local" }, "local", "hub"],
  [{ kind: "nobody" }, "nobody", "hub"],
])("%o is told as %s", (caller, actor, subject) => {
  const { refusals, events } = makeRefusalScene();
  refusals.record({ ...refusal, caller });
  expect(events()).toMatchObject([{ actor, subject }]);
});

test("the same again is one line a minute, whatever time it is said to be", async () => {
  const { refusals, log, clock } = makeRefusalScene();
  for (let n = 0; n < 100; n++) refusals.record(refusal);
  expect(log.last).toBe(1);
  await clock.turn(minuteMs - 1);
  clock.nowMs = () => 9e12;
  refusals.record(refusal);
  expect(log.last).toBe(1);
  await clock.turn(1);
  refusals.record(refusal);
  expect(log.last).toBe(2);
});

test("whatever differs is a line of its own", () => {
  const { refusals, log } = makeRefusalScene();
  const others = [{ endpoint: "reset" }, { reason: "another site" }, { caller: ci }, { address: "192.0.2.2" }];
  for (let n = 0; n < 3; n++) for (const other of [{}, ...others]) refusals.record({ ...refusal, ...other });
  expect(log.last).toBe(1 + others.length);
});

test("who shows things that are not good is one line a minute for each address and reason, wherever they go", async () => {
  const { refusals, log, clock } = makeRefusalScene();
  const nobody: Caller = { kind: "nobody" };
  const tryAll = () => {
    for (const address of ["192.0.2.1", "192.0.2.2"])
      for (const reason of ["a bearer", "a cookie"])
        for (const endpoint of ["me", "status", "users"])
          refusals.record({ ...refusal, caller: nobody, address, reason, endpoint });
  };
  tryAll();
  expect(log.last).toBe(4);
  await clock.turn(minuteMs);
  tryAll();
  expect(log.last).toBe(8);
});

test("two tokens of one name are told apart", () => {
  const { refusals, events } = makeRefusalScene();
  for (const tokenId of ["tok_1", "tok_2"]) refusals.record({ ...refusal, caller: { ...ci, tokenId } as Caller });
  expect(events().map(({ actor, subject }) => [actor, subject])).toEqual([
    ["token:ci/tok_1", "token:ci"],
    ["token:ci/tok_2", "token:ci"],
  ]);
});

test("what was told longest ago is forgotten first, and a caller that goes on is not", async () => {
  const { refusals, log, clock } = makeRefusalScene();
  const other = (n: number) => refusals.record({ ...refusal, endpoint: `endpoint${n}` });
  const isTold = (say: () => void) => {
    const before = log.last;
    say();
    return log.last > before;
  };
  refusals.record(refusal);
  for (let n = 1; n < 10_000; n++) other(n);
  await clock.turn(minuteMs);
  expect(isTold(() => refusals.record(refusal))).toBe(true);
  expect(isTold(() => other(10_000))).toBe(true);
  expect(isTold(() => refusals.record(refusal))).toBe(false);
});

test("all together are so many lines a minute, of whatever kind", async () => {
  const { refusals, log, clock } = makeRefusalScene();
  const signIn = (n: number) =>
    refusals.recordSignIn({ name: undefined, address: `10.0.0.${n}`, failures: 1, correlation: "cor_1" });
  for (let minute = 1; minute <= 3; minute++) {
    for (let n = 0; n < 200; n++) {
      signIn(n);
      refusals.record({ ...refusal, address: `10.0.0.${n}` });
    }
    expect(log.last).toBe(linesAMinute * minute);
    await clock.turn(minuteMs);
  }
});

test("a sign-in that failed names the account only where there is one", () => {
  const { refusals, events } = makeRefusalScene();
  for (const name of ["ada", undefined])
    refusals.recordSignIn({ name, address: "192.0.2.1", failures: 7, correlation: "cor_9" });
  const same = { type: "session.refused", actor: "nobody", correlation: "cor_9" };
  expect(events()).toMatchObject([
    { ...same, subject: "user:ada", data: { failures: 7, address: "192.0.2.1" } },
    { ...same, subject: "user:?" },
  ]);
});
