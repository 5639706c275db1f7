import { afterEach, expect, test } from "vitest";
import { dismissToast, listenToToasts, readToasts, toast } from "./toast-store.ts";

afterEach(() => {
  for (const { id } of readToasts()) dismissToast(id);
});

test("a toast is heard, read and closed", () => {
  let heard = 0;
  const stop = listenToToasts(() => {
    heard += 1;
  });
  const id = toast({ tone: "good", title: "done" });
  expect(readToasts()).toMatchObject([{ id, title: "done" }]);
  dismissToast(id);
  expect(readToasts()).toEqual([]);
  expect(heard).toBe(2);
  stop();
  toast({ tone: "good", title: "unheard" });
  expect(heard).toBe(2);
});

test("there are never more than four, and the oldest goes first", () => {
  for (const title of ["1", "2", "3", "4", "5", "6"]) toast({ tone: "info", title });
  expect(readToasts().map(({ title }) => title)).toEqual(["3", "4", "5", "6"]);
});
