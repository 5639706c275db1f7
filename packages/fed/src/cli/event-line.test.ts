import { expect, test } from "vitest";
import type { AnyEvent, FedEvent } from "#wire/event.ts";
import { eventLine } from "./event-line.ts";
import { localTime } from "./moment.ts";
import { spanText } from "./table.ts";

const base = { sequence: 1, atMs: 1_795_247_715_000, actor: "local", correlation: "cor_1", hash: "h" };
const textOf = (event: AnyEvent) => eventLine(event).map(spanText).join("");

test("columns stand below one another, times and hashes are short", () => {
  const linkMade: FedEvent = {
    ...{ ...base, type: "user.linkMade", subject: "user:ada" },
    data: { purpose: "rescue", expiresMs: 1_795_248_651_638 },
  };
  const accepted: FedEvent = {
    ...{ ...base, type: "lab.accepted", subject: "lab" },
    data: { name: "ocean", hash: "e".repeat(64), file: "/srv/my lab/lab.ts" },
  };
  const at = localTime(base.atMs);
  expect(textOf(linkMade)).toBe(
    `${at}  user.linkMade         user:ada            by local  purpose=rescue  expires="${localTime(1_795_248_651_638)}"`,
  );
  expect(textOf(accepted)).toBe(
    `${at}  lab.accepted          lab                 by local  name=ocean  hash=eeeeeeeeeeee  file="/srv/my lab/lab.ts"`,
  );
});

test("a reason is told apart from what follows it, and an empty one is seen", () => {
  const refused: FedEvent = {
    ...{ ...base, type: "access.refused", subject: "user:vera" },
    data: { endpoint: "restart", reason: 'this needs "operator"', address: "" },
  };
  expect(textOf(refused)).toContain(String.raw`endpoint=restart  reason="this needs \"operator\""  address=""`);
});

test("an event of a newer hub is shown as it is", () => {
  const quake: AnyEvent = {
    ...{ ...base, type: "machine.shook", subject: "machine:node5" },
    data: { magnitude: 3.5, near: ["node4", "node6"], why: null },
  };
  expect(textOf(quake)).toContain(
    String.raw`machine.shook         machine:node5       by local  magnitude=3.5  near="[\"node4\",\"node6\"]"  why=null`,
  );
});
