import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { comer, going, joinAs, makeScene, origin } from "./agent.scene.ts";
import { tokenLifeMs } from "./agent.ts";

const codeOf = (work: () => unknown) => {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return isFault(thrown) ? `${thrown.code}: ${thrown.message}` : String(thrown);
  }
};

test("a token lets one machine join, once", () => {
  const { agents, fleet, told } = makeScene();
  const { token } = agents.allow("node5", "workstation", origin);
  const { machine, credential } = agents.claim(token, comer);
  expect([machine, fleet.get("node5")?.document]).toEqual(["node5", { kind: "workstation", address: "192.0.2.7" }]);
  expect(agents.identify(credential)).toMatchObject({ kind: "machine", name: "node5" });
  expect(codeOf(() => agents.claim(token, comer))).toMatch(/denied: this token was used already/);
  expect(told.map(({ type, subject }) => `${type} ${subject}`)).toEqual([
    "machine.joinAllowed machine:node5",
    "machine.enrolled machine:node5",
    "machine.joined machine:node5",
    "machine.joinRefused machine:node5",
  ]);
});

test("looking at a token, as whoever shows a link does, does not use it up", () => {
  const { agents } = makeScene();
  const { token } = agents.allow("node5", "server", origin);
  for (let n = 0; n < 3; n++) expect(agents.look(token).kind).toBe("good");
  expect(agents.claim(token, comer).machine).toBe("node5");
  expect(agents.look(token).kind).toBe("used");
});

test("a token is good for an hour, and until another is made", async () => {
  const { agents, clock } = makeScene();
  const { token } = agents.allow("node5", "server", origin);
  const later = agents.allow("node5", "server", origin);
  expect(agents.look(token).kind).toBe("unknown");
  await clock.turn(tokenLifeMs - 1);
  expect(agents.look(later.token).kind).toBe("good");
  await clock.turn(1);
  expect(agents.look(later.token).kind).toBe("expired");
  expect(codeOf(() => agents.claim(later.token, comer))).toMatch(/denied: this token is too old/);
});

test("a token that nobody has used is no good when its machine is taken out of the fleet", async () => {
  const { agents } = makeScene();
  const credential = joinAs(agents, "node5");
  const { token } = agents.allow("node5", "server", origin);
  expect(agents.identify(credential)).toMatchObject({ name: "node5" });
  await agents.remove("node5", origin, going());
  expect(codeOf(() => agents.claim(token, comer))).toMatch(/denied: this hub has made no such token/);
});

test("no secret is kept or told: only hashes of them", () => {
  const { agents, db, told } = makeScene();
  const { token } = agents.allow("node5", "server", origin);
  const { credential } = agents.claim(token, comer);
  const rows = ["join_token", "agent", "event"].map((table) =>
    JSON.stringify(db.prepare(`SELECT * FROM ${table}`, (row) => row).all()),
  );
  for (const text of [...rows, JSON.stringify(told)]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(credential);
    expect(text).not.toContain(credential.slice(5));
  }
});

test("a flood of wrong tokens is told of, and does not fill the log", async () => {
  const { agents, told, clock } = makeScene();
  for (let n = 0; n < 1_000; n++) codeOf(() => agents.claim(`wrong${n}`, comer));
  expect(told).toHaveLength(1);
  for (let n = 0; n < 1_000; n++) codeOf(() => agents.claim("wrong", { ...comer, address: `192.0.2.${n}` }));
  expect(told.length).toBeLessThanOrEqual(60);
  expect(told[0]).toMatchObject({ subject: "hub", type: "machine.joinRefused", data: { address: "192.0.2.7" } });
  await clock.turn(60_000);
  const before = told.length;
  codeOf(() => agents.claim("wrong", comer));
  expect(told).toHaveLength(before + 1);
});

test("who joins anew under a name puts an end to who had it", () => {
  const { agents } = makeScene();
  const first = joinAs(agents, "node5");
  const caller = agents.identify(first);
  const second = joinAs(agents, "node5");
  expect(agents.identify(first)).toEqual({ kind: "nobody" });
  expect(agents.identify(second)).toMatchObject({ name: "node5" });
  if (caller?.kind !== "machine") throw new Error("the first was no machine");
  expect(agents.recall(caller)).toEqual({ kind: "nobody" });
});

test("what is no credential of ours is others' to know", () => {
  const { agents } = makeScene();
  expect(agents.identify("fed_abc")).toBeUndefined();
  expect(agents.identify(undefined)).toBeUndefined();
  expect(agents.identify("fedm_abc")).toEqual({ kind: "nobody" });
});
