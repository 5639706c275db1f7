import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { api } from "#wire/api.ts";
import { follow } from "./follow.ts";
import { type FakeHub, openFakeHub, type Reply, refuses, streams } from "./hub.scene.ts";
import { recordScreen } from "./test-screen.ts";

const line = (n: number) => ({ item: { instance: "i", text: `line ${n}`, at: String(n) } });
const ended = { problem: { code: "unauthenticated", detail: "ended", type: "", title: "", status: 401 } };

/** Follows logs of a hub that answers with one reply after the other; the last stays. */
async function following(replies: readonly Reply[]) {
  const left = [...replies];
  const answer = () => (left.length > 1 ? left.shift() : left[0]) ?? refuses("internal");
  const at: { hub: FakeHub } = { hub: await openFakeHub(answer) };
  const { screen, err } = recordScreen();
  const clock = handClock();
  const controller = new AbortController();
  const seen: string[] = [];
  const tries: (readonly [again: boolean, after: string])[] = [];
  const renewed: string[] = [];
  const ending = follow(
    {
      screen,
      clock,
      find: async () => ({
        ...{ url: at.hub.url, token: `token ${renewed.length}` },
        async renew() {
          renewed.push("");
          return `token ${renewed.length}`;
        },
      }),
      open(client, again) {
        tries.push([again, seen.at(-1) ?? ""]);
        return client.stream(api.logs, { environment: "dev", service: "api" }, controller.signal);
      },
      see: ({ text }) => void seen.push(text),
    },
    controller.signal,
  ).catch((thrown: unknown) => thrown);
  /** Turns time until it is so. */
  const until = async (so: () => boolean) => {
    while (!so()) {
      // Only when it is waited for: what is on its way over the network comes in its own time.
      if (clock.waiting > 0) await clock.turn(100);
      await setImmediate();
    }
  };
  return { at, answer, controller, seen, tries, renewed, ending, until, err };
}

test("a stream that ends is opened again behind what was seen, without a word", async () => {
  const it = await following([
    streams([line(1), line(2)]),
    streams([line(3), ended]),
    refuses("unauthenticated"),
    streams([line(4)], "stays"),
  ]);
  await it.until(() => it.seen.length === 4);
  expect(it.seen).toEqual(["line 1", "line 2", "line 3", "line 4"]);
  expect(it.tries).toEqual([
    [false, ""],
    [true, "line 2"],
    [true, "line 3"],
  ]);
  expect(it.renewed).toHaveLength(1);
  expect(it.err()).toBe("");
  it.controller.abort(new Error("Ctrl-C"));
  expect(await it.ending).toBe(it.controller.signal.reason);
});

test("a hub that is away is waited for, which is said once, and found where it comes back", async () => {
  const it = await following([streams([line(1)], "breaks"), streams([line(2)], "stays")]);
  await it.until(() => it.seen.length === 1);
  await it.at.hub.stop();
  await it.until(() => it.tries.length > 6);
  it.at.hub = await openFakeHub(it.answer);
  await it.until(() => it.seen.length === 2);
  expect(it.err().split("\n")).toEqual([expect.stringMatching(/; waiting for it …$/), "connected again", ""]);
  it.controller.abort(new Error("Ctrl-C"));
  await it.ending;
});

test.each(["denied", "missing", "invalid", "internal"] as const)("%s ends it", async (code) => {
  const it = await following([streams([line(1)]), refuses(code)]);
  await it.until(() => it.tries.length === 2);
  expect(await it.ending).toMatchObject({ code });
});

test("a sign-in that has ended ends it", async () => {
  const it = await following([streams([line(1), ended]), refuses("unauthenticated")]);
  await it.until(() => it.renewed.length === 1);
  expect(await it.ending).toMatchObject({ code: "unauthenticated", hint: expect.stringContaining("fed login") });
});

test("an abort ends the wait too", async () => {
  const it = await following([refuses("unreachable")]);
  await it.until(() => it.tries.length === 1 && it.err() !== "");
  it.controller.abort(new Error("Ctrl-C"));
  expect(await it.ending).toBe(it.controller.signal.reason);
});
