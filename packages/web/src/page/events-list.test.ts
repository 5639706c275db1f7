import { type EventData, eventShape, eventTypes, isEventFilter } from "@fed/fed/wire/event.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  chooseNoun,
  groupDays,
  isWhole,
  matchesView,
  mergeEvents,
  readTypeQuery,
  splitHeld,
  subjectQuery,
  typeQuery,
  typesByNoun,
  wholeView,
} from "./events-list.ts";

function event(
  sequence: number,
  more: { subject?: string; correlation?: string; actor?: string; data?: EventData } = {},
) {
  const { type, ...data } = more.data ?? { type: "instance.healthy" as const, instance: "i1" };
  return eventShape.parse({
    sequence,
    atMs: sequence,
    actor: more.actor ?? "hub",
    subject: more.subject ?? "service:dev/api",
    correlation: more.correlation ?? "c1",
    hash: "ab",
    type,
    data,
  });
}

test("what this page does not know is listed, found and told apart by its type", () => {
  const strange = { ...event(1), type: "machine.shook", data: { magnitude: 3.5 } };
  expect(matchesView(strange, wholeView)).toBe(true);
  expect(matchesView(strange, { ...wholeView, text: "SHOOK" })).toBe(true);
  expect(matchesView(strange, { ...wholeView, text: "3.5" })).toBe(true);
  expect(matchesView(strange, { ...wholeView, types: ["machine.added"] })).toBe(false);
  expect(mergeEvents([event(2)], [strange])).toEqual([event(2), strange]);
});

test("however events come, they are newest first and each once", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }))), (pages) => {
      const merged = pages.reduce(
        (known, page) =>
          mergeEvents(
            known,
            page.map((sequence) => event(sequence)),
          ),
        mergeEvents([], []),
      );
      const expected = [...new Set(pages.flat())].sort((a, b) => b - a);
      expect(merged.map(({ sequence }) => sequence)).toEqual(expected);
    }),
  );
});

test("nothing new leaves the list as it is, so that nothing is drawn again", () => {
  const known = [event(2), event(1)];
  expect(mergeEvents(known, [event(1)])).toBe(known);
});

test("an event is found by type, subject, correlation and text", () => {
  const one = event(1, { actor: "user:ada", data: { type: "instance.exited", instance: "i9", exit: "exit code 3" } });
  const found = (view: Partial<typeof wholeView>) => matchesView(one, { ...wholeView, ...view });
  expect(found({})).toBe(true);
  expect([found({ types: ["instance.exited", "hub.started"] }), found({ types: ["hub.started"] })]).toEqual([
    true,
    false,
  ]);
  expect([found({ subject: " DEV/api" }), found({ subject: "prod" })]).toEqual([true, false]);
  expect([found({ correlation: "c1" }), found({ correlation: "c2" })]).toEqual([true, false]);
  expect([found({ text: "Code 3" }), found({ text: "ada" }), found({ text: "i9" }), found({ text: "zebra" })]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect([isWhole(wholeView), isWhole({ ...wholeView, text: "x" })]).toEqual([true, false]);
});

test("while the list is held, new ones are counted and not shown", () => {
  const events = [event(9), event(8), event(3)];
  expect(splitHeld(events, undefined)).toEqual({ shown: events, waiting: 0 });
  expect(splitHeld(events, 3)).toEqual({ shown: [events[2]], waiting: 2 });
});

test("every type is in the menu once", () => {
  expect(typesByNoun.flatMap(([, types]) => types).sort()).toEqual([...eventTypes].sort());
});

test("a noun is chosen as a whole, and asked for as a whole", () => {
  const users = chooseNoun([], "user", true);
  expect(typeQuery(users)).toBe("user.");
  expect(typeQuery([...users, "hub.started"])).toBe("hub.started,user.");
  expect(chooseNoun(users, "user", false)).toEqual([]);
  expect(typeQuery([])).toBe("");
});

test("the hub understands every choice", () => {
  fc.assert(
    fc.property(fc.subarray([...eventTypes], { minLength: 1 }), (types) => {
      expect(typeQuery(types).split(",").every(isEventFilter)).toBe(true);
      expect(typeQuery(types).length).toBeLessThanOrEqual(1000);
    }),
  );
});

test("a choice survives the address of the page", () => {
  fc.assert(
    fc.property(fc.subarray([...eventTypes]), (types) => {
      expect(readTypeQuery(typeQuery(types))).toEqual(types);
    }),
  );
  expect(readTypeQuery("zebra., hub.started ,")).toEqual(["hub.started"]);
});

test("the hub is asked only for subjects it can know", () => {
  expect(subjectQuery(" service:dev/api ", ["service:dev/api"])).toBe("service:dev/api");
  expect(subjectQuery("service:", [])).toBe("service:");
  expect(subjectQuery("service:dev/a", ["service:dev/api"])).toBe("");
});

test("events stand under their day", () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime();
  const events = [at(21, 9), at(21, 0), at(20, 23)].map((atMs, index) => ({ ...event(9 - index), atMs }));
  expect(groupDays(events).map((day) => [new Date(day.dayMs).getDate(), day.events.length])).toEqual([
    [21, 2],
    [20, 1],
  ]);
});
