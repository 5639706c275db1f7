import { expect, test } from "vitest";
import { makeNotice } from "#base/notice.ts";
import { api } from "#wire/api.ts";
import { streamItemShape } from "#wire/event.ts";
import type { CallContext } from "#wire/handler.ts";
import { makeScene, range, say, sequencesOf, take } from "./event.scene.ts";
import { eventHandlers } from "./http.ts";

const context = (signal = new AbortController().signal): CallContext => ({
  ...{
    signal,
    correlation: "cor_1",
    caller: { kind: "local" },
    actor: "local",
    address: "127.0.0.1",
    agent: "",
    origin: "http://hub",
  },
  cookie: { set() {}, clear() {} },
  tell() {},
});

function makeDoor() {
  const { log, clock } = makeScene();
  const changes = makeNotice();
  return { log, clock, changes, door: eventHandlers({ events: log, onChanged: changes.listen }) };
}

test("the list pages back by `more` until there is none, and answers what it promises", async () => {
  const { log, door } = makeDoor();
  say(log, 25);
  const seen: number[] = [];
  let before: number | undefined;
  do {
    const input = api.events.input.parse({ limit: "10", ...(before === undefined ? {} : { before }) });
    const answer = api.events.output.parse(await door.events(input, context()));
    seen.push(...answer.events.map(({ sequence }) => sequence));
    before = answer.more;
  } while (before !== undefined);
  expect(seen).toEqual(range(1, 25).toReversed());
});

test("a page that is just full is not followed by an empty one", async () => {
  const { log, door } = makeDoor();
  say(log, 10);
  expect(await door.events(api.events.input.parse({ limit: 10 }), context())).not.toHaveProperty("more");
  expect(await door.events(api.events.input.parse({ sinceMs: 9e15 }), context())).toEqual({ events: [] });
});

test("the stream filters, resumes and nudges", async () => {
  const { log, door, changes } = makeDoor();
  say(log, 3);
  say(log, 1, "user:ada", { type: "user.enabled" });
  const input = api.eventStream.input.parse({ type: "machine.", after: "1" });
  const stream = door.eventStream(input, context());
  changes.send();
  const items = await take(stream, 3);
  expect(sequencesOf(items)).toEqual([2, 3]);
  for (const item of items) expect(streamItemShape.parse(item)).toEqual(item);
  expect(items[2]).toEqual({ kind: "changed" });
});

test("a type that is none is refused before the stream begins", async () => {
  const { door } = makeDoor();
  expect(() => door.eventStream({ type: "machine.chnged" }, context())).toThrow("no event of type machine.chnged");
  await expect(door.events({ type: "x", limit: 1 }, context())).rejects.toThrow("no event of type x");
});

test("the chain is verified by the door too", async () => {
  const { log, door } = makeDoor();
  say(log, 2);
  expect(api.verifyEvents.output.parse(await door.verifyEvents({}, context()))).toMatchObject({
    ...{ kind: "sound", events: 2, first: 1, last: 2, head: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  const head = `2:${"0".repeat(64)}`;
  const input = api.verifyEvents.input.parse({ head });
  expect(api.verifyEvents.output.parse(await door.verifyEvents(input, context()))).toMatchObject({
    ...{ kind: "parted", sequence: 2 },
  });
  for (const wrong of ["", "2", ":", `x:${"0".repeat(64)}`, `2:${"0".repeat(63)}`])
    expect(api.verifyEvents.input.safeParse({ head: wrong })).toMatchObject({ success: false });
});
