import { describe, expect, test } from "vitest";
import type { Fault } from "#base/fault.ts";
import type { Caller } from "#wire/handler.ts";
import { rules } from "./throttle.ts";
import { faultOf, from, makeScene, minuteMs, origin, passwordOf } from "./user.scene.ts";

const wrong = "unauthenticated: the name or the password is wrong";
const limited = "limited: too many attempts to sign in";

/** Everything that tells one answer from another. */
const faceOf = async (work: Promise<unknown>) => {
  const fault = await work.then(
    () => undefined,
    (thrown: Fault) => thrown,
  );
  return fault && [fault.code, fault.message, fault.hint, fault.details, fault.cause];
};

/** One who can sign in, one who is disabled, and one who has chosen no password yet. */
async function makePeople() {
  const scene = makeScene();
  await scene.add("ada");
  await scene.add("grace");
  scene.users.disable("grace", origin);
  await scene.users.add("eve", "viewer", undefined, origin);
  scene.derive.asked.length = 0;
  scene.news();
  const attempt = (name: string, password = "a wrong guess", address = from.address) =>
    scene.users.authenticate(name, password, { ...from, address });
  return { ...scene, attempt };
}

const cases: readonly (readonly [what: string, name: string, password: string])[] = [
  ["a wrong password", "ada", "a wrong guess"],
  ["a name that nobody has", "nobody", "a wrong guess"],
  ["one who is disabled", "grace", "a wrong guess"],
  ["one who is disabled, with the right password", "grace", passwordOf("grace")],
  ["one who has no password yet", "eve", "a wrong guess"],
  ["an empty password", "eve", ""],
  ["an empty name", "", "a wrong guess"],
];

describe("nobody learns which accounts exist", () => {
  test("from the answer", async () => {
    const { attempt } = await makePeople();
    const faces = await Promise.all(cases.map(([, name, password]) => faceOf(attempt(name, password))));
    expect(faces).toEqual(faces.map(() => faces[0]));
    expect(faces[0]?.slice(0, 2)).toEqual(["unauthenticated", "the name or the password is wrong"]);
  });

  test.each(cases)("from the work, by %s", async (_what, name, password) => {
    const { attempt, derive } = await makePeople();
    await faceOf(attempt(name, password));
    const work = derive.asked.map(({ memory, passes, parallelism, tagLength }) => [
      ...[memory, passes, parallelism, tagLength],
    ]);
    expect(work).toEqual([[19_456, 2, 1, 32]]);
  });

  test.each(cases)("from being slowed down, by %s", async (_what, name, password) => {
    const { attempt, clock } = await makePeople();
    const faces = async () => {
      const seen: unknown[] = [];
      for (let n = 0; n < 12; n++) {
        seen.push(await faceOf(attempt(name, password)));
        await clock.turn(500);
      }
      return seen;
    };
    const other = await makePeople();
    const expected: unknown[] = [];
    for (let n = 0; n < 12; n++) {
      expected.push(await faceOf(other.attempt("ada", "another guess")));
      await other.clock.turn(500);
    }
    expect(await faces()).toEqual(expected);
    expect(JSON.stringify(expected)).toContain('"limited"');
  });

  test("and what was typed as a name is in no log, because it may be a password", async () => {
    const { attempt, news, events } = await makePeople();
    for (const name of ["correct horse battery", "ada", "ADA", "grace"]) await faceOf(attempt(name));
    const refused = events().filter(({ type }) => type === "session.refused");
    expect(refused.map(({ subject }) => subject)).toEqual(["user:?", "user:ada", "user:ada", "user:grace"]);
    expect(JSON.stringify(events())).not.toContain("horse");
    expect(refused[1]).toMatchObject({
      ...{ actor: "nobody", correlation: from.correlation },
      data: { address: from.address, failures: 1, reason: "wrong name or password" },
    });
    expect(news()).toHaveLength(4);
  });
});

describe("the right password", () => {
  test("is that of the name, whatever its case", async () => {
    const { attempt, add } = await makePeople();
    await add("Bob");
    for (const name of ["ada", "ADA", "Ada"]) expect((await attempt(name, passwordOf("ada"))).name).toBe("ada");
    expect((await attempt("bob", passwordOf("bob"))).name).toBe("Bob");
    for (const name of ["ada ", " ada", "ad_", "ad%", "ada\0", "аda"])
      expect(await faultOf(() => attempt(name, passwordOf("ada")))).toBe(wrong);
    expect(await faultOf(() => attempt("ada", passwordOf("bob")))).toBe(wrong);
  });

  test("signs nobody in who was disabled, or reset, while it was computed", async () => {
    for (const deed of ["disable", "reset"] as const) {
      const { attempt, derive, users } = await makePeople();
      const release = derive.hold();
      const late = faultOf(() => attempt("ada", passwordOf("ada")));
      users[deed]("ada", origin);
      release();
      expect(await late).toBe(wrong);
    }
  });

  test("is refused like any other while one has to wait, and nothing is computed", async () => {
    const { attempt, derive, clock } = await makePeople();
    for (let n = 0; n < rules.pair.free; n++) await faceOf(attempt("ada"));
    const before = derive.asked.length;
    expect(await faultOf(() => attempt("ada", passwordOf("ada")))).toBe(limited);
    expect(derive.asked).toHaveLength(before);
    await clock.turn(1_000);
    expect((await attempt("ada", passwordOf("ada"))).name).toBe("ada");
    await faceOf(attempt("ada"));
    expect((await attempt("ada", passwordOf("ada"))).name).toBe("ada");
  });
});

describe("who guesses", () => {
  test("gets five looks, however many at once, and the right one among the others does not help", async () => {
    const { attempt, derive } = await makePeople();
    const guesses = Array.from({ length: 50 }, (_, n) => (n === 49 ? passwordOf("ada") : `guess ${n}`));
    const outcomes = await Promise.all(guesses.map((guess) => faultOf(() => attempt("ada", guess))));
    expect(outcomes).toEqual(guesses.map((_, n) => (n < rules.pair.free ? wrong : limited)));
    expect(derive.asked).toHaveLength(rules.pair.free);
  });

  test("one account from many places is slowed down, and its owner at home is not", async () => {
    const { attempt } = await makePeople();
    await attempt("ada", passwordOf("ada"), "192.0.2.77");
    for (let n = 0; n < rules.account.free; n++) await faceOf(attempt("ada", "guess", `198.51.100.${n}`));
    expect(await faultOf(() => attempt("ada", "guess", "198.51.100.200"))).toBe(limited);
    expect((await attempt("ada", passwordOf("ada"), "192.0.2.77")).name).toBe("ada");
  });

  test("many accounts from one place is slowed down there, and elsewhere nobody is", async () => {
    const { attempt, clock } = await makePeople();
    for (let n = 0; n < rules.address.free; n++) await faceOf(attempt(`user${n}`));
    expect(await faultOf(() => attempt("ada", passwordOf("ada")))).toBe(limited);
    expect((await attempt("ada", passwordOf("ada"), "192.0.2.77")).name).toBe("ada");
    await clock.turn(1_000);
    expect((await attempt("ada", passwordOf("ada"))).name).toBe("ada");
  });

  test("gains nothing from a clock that is put forward, and loses nothing by one that is put back", async () => {
    for (const nowMs of [9e12, 0]) {
      const { attempt, clock } = await makePeople();
      for (let n = 0; n < rules.pair.free; n++) await faceOf(attempt("ada"));
      clock.nowMs = () => nowMs;
      expect(await faultOf(() => attempt("ada"))).toBe(limited);
      await clock.turn(1_000);
      expect((await attempt("ada", passwordOf("ada"))).name).toBe("ada");
    }
  });

  test("is told how long to wait", async () => {
    const { attempt } = await makePeople();
    for (let n = 0; n < rules.pair.free; n++) await faceOf(attempt("ada"));
    await expect(attempt("ada")).rejects.toMatchObject({
      hint: "Try again in 1 s.",
      details: { retryAfterSeconds: 1 },
    });
  });

  test("is in the log with every attempt; those that are not looked at are a line a minute", async () => {
    const { attempt, clock, events } = await makePeople();
    for (let n = 0; n < 8; n++) {
      for (let more = 0; more < 20; more++) await faceOf(attempt("ada"));
      await clock.turn(5 * minuteMs);
    }
    const lines = events().flatMap((event) => (event.type === "session.refused" ? [event.data.failures] : []));
    expect(lines).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const limited = events().flatMap((event) => (event.type === "access.refused" ? [event] : []));
    expect(limited).toHaveLength(8);
    expect(limited[0]).toMatchObject({
      ...{ actor: "nobody", subject: "hub", correlation: from.correlation },
      data: { endpoint: "login", reason: "too many attempts to sign in", address: from.address },
    });
  });
});

test("an attempt whose password was never looked at, because too many sign in, does not count", async () => {
  const { attempt, derive, news } = await makePeople();
  const release = derive.hold();
  const others = Array.from({ length: 22 }, (_, n) => faceOf(attempt(`user${n}`, "guess", `198.51.100.${n}`)));
  for (let n = 0; n < 20; n++)
    expect(await faultOf(() => attempt("ada", passwordOf("ada")))).toBe("limited: too many people are signing in");
  release();
  await Promise.all(others);
  news();
  expect((await attempt("ada", passwordOf("ada"))).name).toBe("ada");
  expect(news()).toEqual([]);
});

describe("changing the password", () => {
  const next = "the next password";

  async function makeSignedIn() {
    const scene = await makePeople();
    const { users, attempt } = scene;
    const ada = await attempt("ada", passwordOf("ada"));
    const signIn = () => users.sessions.ofCookie(users.sessions.openBrowser(ada, from).secret);
    const change = (caller: Caller, current = passwordOf("ada"), wanted = next) =>
      users.changePassword(caller, current, wanted, from);
    const idOf = (caller: Caller) => (caller.kind === "user" ? caller.session.id : "");
    scene.derive.asked.length = 0;
    return { ...scene, ada, signIn, change, idOf, me: signIn() };
  }

  test("counts from now on, ends the other sessions and says so", async () => {
    const { change, me, signIn, attempt, news, events, idOf } = await makeSignedIn();
    const other = signIn();
    news();
    expect(await change(me)).toBe(1);
    expect(news()).toEqual(["session.ended user:ada", "user.passwordChanged user:ada"]);
    expect(events().slice(-2)).toMatchObject([
      { actor: "user:ada", data: { session: idOf(other), reason: "the password was changed" } },
      { actor: "user:ada", correlation: from.correlation, data: { sessionsEnded: 1 } },
    ]);
    expect(await faultOf(() => attempt("ada", passwordOf("ada")))).toBe(wrong);
    expect((await attempt("ada", next)).name).toBe("ada");
  });

  test("needs the current one; a wrong one changes nothing, and counts as a guess", async () => {
    const { change, me, attempt, users, derive } = await makeSignedIn();
    for (let n = 0; n < rules.pair.free; n++)
      expect(await faultOf(() => change(me, `guess ${n}`))).toBe("invalid: the current password is wrong");
    expect(derive.asked, "the next one was never computed").toHaveLength(rules.pair.free);
    expect(await faultOf(() => change(me))).toBe(limited);
    expect(await faultOf(() => attempt("ada", passwordOf("ada")))).toBe(limited);
    expect((await attempt("ada", passwordOf("ada"), "192.0.2.77")).name).toBe("ada");
    expect(users.list()[0]).toMatchObject({ name: "ada" });
  });

  test("is for who signed in with a name only", async () => {
    const { change, users } = await makeSignedIn();
    const { secret } = users.tokens.create({ kind: "local" }, { name: "ci", role: "admin" }, origin);
    const callers: readonly Caller[] = [{ kind: "local" }, { kind: "nobody" }, users.tokens.identify(secret)];
    for (const caller of callers)
      expect(await faultOf(() => change(caller))).toBe("denied: only who is signed in with a name has a password");
  });

  test("of two at once one wins: a thief who knows the old one does not undo the owner's", async () => {
    const { change, me, signIn, attempt } = await makeSignedIn();
    const thief = signIn();
    const outcomes = await Promise.allSettled([
      change(me, undefined, "of the owner"),
      change(thief, undefined, "of the thief"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await faultOf(() => attempt("ada", "of the thief"))).toBe(wrong);
    expect((await attempt("ada", "of the owner")).name).toBe("ada");
  });

  test("of two at once of one session, one wins", async () => {
    const { change, me, attempt } = await makeSignedIn();
    const outcomes = await Promise.allSettled([change(me, undefined, "the first one"), change(me, undefined, next)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((await attempt("ada", "the first one")).name).toBe("ada");
  });

  /** Waits until the next password is being computed, does the deed, and lets it go on. */
  async function changeMeanwhile(deed: (scene: Awaited<ReturnType<typeof makeSignedIn>>) => unknown) {
    const scene = await makeSignedIn();
    const { derive, change, me, users, news } = scene;
    const late = faultOf(() => change(me));
    const release = derive.hold();
    while (derive.asked.length < 2) await Promise.resolve();
    await deed(scene);
    const before = users.list();
    news();
    release();
    const outcome = await late;
    const ada = users.list().find(({ name }) => name === "ada");
    return { outcome, ada, changed: JSON.stringify(users.list()) !== JSON.stringify(before), news: news() };
  }

  test.each<[what: string, deed: Parameters<typeof changeMeanwhile>[0]]>([
    ["the user is disabled", ({ users }) => users.disable("ada", origin)],
    ["the password is reset", ({ users }) => users.reset("ada", origin)],
    ["the session is ended", ({ users, me, idOf }) => users.sessions.end(idOf(me), "signed out", origin)],
    ["the user is disabled and enabled", ({ users }) => [users.disable("ada", origin), users.enable("ada", origin)]],
  ])("does nothing when meanwhile %s", async (_what, deed) => {
    expect(await changeMeanwhile(deed)).toMatchObject({
      ...{ outcome: "unauthenticated: this sign-in is no longer good", changed: false, news: [] },
    });
  });

  test("keeps the role that was given meanwhile", async () => {
    const { outcome, changed, ada } = await changeMeanwhile(({ users }) => users.setRole("ada", "operator", origin));
    expect([outcome, changed, ada?.role]).toEqual(["no fault", true, "operator"]);
  });
});
