import { expect, test } from "vitest";
import { toFault } from "#base/fault.ts";
import { defaultRetention, droppedOf, matches, readFilter } from "./event.ts";

test("a filter names types, or all types of a noun", () => {
  expect(readFilter({}).types).toEqual([]);
  expect(readFilter({ type: " , " }).types).toEqual([]);
  expect(readFilter({ type: "session.,session.opened" }).types).toEqual([
    "session.opened",
    "session.ended",
    "session.refused",
    "session.replayed",
  ]);
});

test("a type that is none is told with what is near and what there is", () => {
  const faultOf = (type: string) => {
    try {
      readFilter({ type });
    } catch (thrown) {
      return toFault(thrown);
    }
    throw new Error("it was taken");
  };
  const misspelt = faultOf("machine.chnged");
  expect(misspelt).toMatchObject({ code: "invalid", message: "there is no event of type machine.chnged" });
  expect(misspelt.hint).toMatch(/^Did you mean machine\.changed\? All of a noun: hub\. /);
  expect(misspelt.details).toMatchObject({ known: expect.arrayContaining(["lab.accepted"]) });
  expect(faultOf("machien.").hint).toMatch(/^Did you mean machine\.\?/);
  expect(faultOf("nothing.like.it").hint).toMatch(/^All of a noun: /);
  for (const type of [".", "machine", "machine.%", "mach"]) expect(faultOf(type).code).toBe("invalid");
});

test("an event matches by type and by subject", () => {
  const event = { type: "machine.added", subject: "machine:a" };
  expect(matches(readFilter({}), event)).toBe(true);
  expect(matches(readFilter({ type: "machine.", subject: "machine:" }), event)).toBe(true);
  expect(matches(readFilter({ subject: "machine:a" }), event)).toBe(true);
  expect(matches(readFilter({ subject: "machine" }), event)).toBe(false);
  expect(matches(readFilter({ type: "user.", subject: "machine:" }), event)).toBe(false);
});

test("nothing is dropped up to the limits; beyond them so much that the next cut is a while off", () => {
  const retention = { ...defaultRetention, maxEvents: 1_000, maxBytes: 100_000 };
  expect(droppedOf(retention, 1_000, 100)).toBe(0);
  expect(droppedOf(retention, 1_001, 100)).toBe(11);
  expect(droppedOf(retention, 1_000, 200)).toBe(505);
  expect(droppedOf(retention, 0, 0)).toBe(0);
});
