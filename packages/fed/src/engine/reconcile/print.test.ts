import { expect, test } from "vitest";
import { diff } from "./diff.ts";
import type { Desired, DesiredService, ObservedInstance } from "./plan.ts";
import { planText } from "./print.ts";

const wish = (key: string, spec: string, more: Partial<DesiredService> = {}): DesiredService => ({
  key,
  spec,
  fields: {},
  replicas: 1,
  needs: [],
  ...more,
});
const instance = (id: string, service: string, spec: string): ObservedInstance => ({
  id,
  service,
  spec,
  replica: 0,
  state: "running",
  health: "healthy",
  routed: true,
});

function planOf(services: readonly DesiredService[], instances: readonly ObservedInstance[] = []) {
  const earlier = { a1: { "env.LOG_LEVEL": "info" } };
  const desired: Desired = { hash: "wish", services, earlier };
  return diff(desired, { instances }, { hash: (text) => text, nowMs: 0 });
}

test("a plan prints as its summary, its steps by service with their reasons, and its notes", () => {
  const plan = planOf(
    [
      wish("prod/blog", "b2", { fields: { "env.LOG_LEVEL": "debug" }, needs: ["prod/db"] }),
      wish("prod/db", "d1"),
      wish("prod/mail", "m1", { hold: { kind: "backOff", untilMs: 3_500, crashes: 4 } }),
    ],
    [instance("ins_1", "prod/blog", "a1")],
  );
  expect(planText(plan)).toBe(`2 services change: 2 to start, 1 to stop

prod/db
  start replica 0       1 replica wanted, none runs
  wait until healthy    only healthy instances get requests
  send it the requests  it gets no requests yet

prod/blog, after prod/db
  start replica 0       blog changed: env.LOG_LEVEL
  wait until healthy    only healthy instances get requests
  send it the requests  the new release takes over
  drain ins_1           open requests may end
  stop ins_1            blog changed: env.LOG_LEVEL
  remove ins_1          blog changed: env.LOG_LEVEL

note: prod/mail waits 4 s before the next try (4 failures)
`);
});

test("nothing to do is said, and notes are not lost", () => {
  expect(planText(planOf([wish("prod/blog", "a1")], [instance("i", "prod/blog", "a1")]))).toBe("nothing to do\n");
  const hold = { kind: "gaveUp", crashes: 1, last: "there is no program node21" } as const;
  expect(planText(planOf([wish("prod/blog", "a1", { hold })]))).toBe(
    "nothing to do\n\nnote: prod/blog given up after 1 failure: there is no program node21\n",
  );
});

test("a plan that neither starts nor stops counts its steps", () => {
  const plan = planOf([wish("prod/blog", "a1")], [{ ...instance("i", "prod/blog", "a1"), routed: false }]);
  expect(planText(plan)).toMatch(/^1 service changes: 1 step\n/);
});

test("a plan is plain data: it survives JSON", () => {
  const plan = planOf([wish("prod/blog", "b2")], [instance("ins_1", "prod/blog", "a1")]);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});
