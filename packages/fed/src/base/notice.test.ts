import { expect, test } from "vitest";
import { makeNotice } from "./notice.ts";

test("everybody who listens hears it, until they end it", () => {
  const notice = makeNotice();
  const heard: string[] = [];
  const hear = () => heard.push("a");
  const endFirst = notice.listen(hear);
  notice.listen(hear);
  notice.listen(() => heard.push("b"));
  notice.send();
  expect(heard).toEqual(["a", "a", "b"]);
  endFirst();
  endFirst();
  notice.send();
  expect(heard.slice(3)).toEqual(["a", "b"]);
});

test("who ends it while it is sent hears it this once", () => {
  const notice = makeNotice();
  let heard = 0;
  const ends: (() => void)[] = [];
  ends.push(notice.listen(() => ends[1]?.()));
  ends.push(notice.listen(() => heard++));
  notice.send();
  notice.send();
  expect(heard).toBe(1);
});
