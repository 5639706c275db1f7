import { describe, expect, test } from "vitest";
import { hashSecret } from "./secret.ts";
import { selectLink, updateUser } from "./store.ts";
import { dayMs, everyText, faultOf, from, makeScene, minuteMs, origin, passwordOf } from "./user.scene.ts";

const spent = "missing: this link is no longer good";
const chosen = "a password I chose";

function makeLinkScene() {
  const scene = makeScene();
  const { users, add } = scene;
  return {
    ...scene,
    first: () => users.firstCode() ?? "there is an admin",
    invite: async (name: string) => (await users.add(name, "viewer", undefined, origin)).link?.code ?? "no link",
    enrol: (code: string, name?: string, password = chosen) => users.links.enrol(code, name, password, from),
    /** One admin who is not in the way. */
    addRoot: () => add("root", "admin"),
  };
}

describe("the first link", () => {
  test("makes the first admin, signed in, and says so in the log", async () => {
    const { first, enrol, users, news, clock, events } = makeLinkScene();
    const code = first();
    expect(code).toMatch(/^[\w-]{43}$/);
    expect(users.links.look(code)).toEqual({
      ...{ purpose: "first", name: undefined },
      expiresMs: clock.nowMs() + 15 * minuteMs,
    });
    expect(news()).toEqual(["user.linkMade hub"]);
    expect(events().at(-1)).toMatchObject({ actor: "hub", correlation: expect.stringMatching(/^cor_\w{18}$/) });
    const { user, opened } = await enrol(code, "Ada");
    expect(user).toMatchObject({ name: "Ada", role: "admin" });
    expect(users.sessions.ofCookie(opened.secret)).toMatchObject({ name: "Ada", role: "admin" });
    expect(users.checkCsrf(users.sessions.ofCookie(opened.secret), opened.csrf)).toBe(true);
    expect(news()).toEqual(["user.added user:Ada", "user.enrolled user:Ada", "session.opened user:Ada"]);
    expect(events().slice(1, 3)).toMatchObject([{ actor: "nobody" }, { actor: "nobody", data: { purpose: "first" } }]);
    expect((await users.authenticate("ada", chosen, from)).id).toBe(user.id);
    expect(users.firstCode()).toBeUndefined();
  });

  test("works once", async () => {
    const { first, enrol, users } = makeLinkScene();
    const code = first();
    await enrol(code, "ada");
    expect(await faultOf(() => enrol(code, "eve"))).toBe(spent);
    expect(await faultOf(() => users.links.look(code))).toBe(spent);
    expect(users.list().map(({ name }) => name)).toEqual(["ada"]);
  });

  test("is good for fifteen minutes", async () => {
    const { first, enrol, users, clock } = makeLinkScene();
    const code = first();
    await clock.turn(15 * minuteMs - 1);
    users.links.look(code);
    await clock.turn(1);
    expect(await faultOf(() => users.links.look(code))).toBe(spent);
    expect(await faultOf(() => enrol(code, "ada"))).toBe(spent);
    expect(users.list()).toEqual([]);
  });

  test("also when its end comes while the password is computed", async () => {
    const { first, enrol, users, clock, derive } = makeLinkScene();
    const release = derive.hold();
    const late = faultOf(() => enrol(first(), "ada"));
    await clock.turn(15 * minuteMs);
    release();
    expect(await late).toBe(spent);
    expect(users.list()).toEqual([]);
  });

  test("kills the one before it, also that of a hub that ran before", async () => {
    const { first, enrol, openAgain } = makeLinkScene();
    const [one, two] = [first(), first()];
    const three = openAgain().firstCode() ?? "";
    for (const code of [one, two]) expect(await faultOf(() => enrol(code, "eve"))).toBe(spent);
    expect((await enrol(three, "ada")).user.name).toBe("ada");
  });

  test("is dead as soon as there is an admin, however there came to be one", async () => {
    const { first, enrol, addRoot, users } = makeLinkScene();
    const code = first();
    await addRoot();
    expect(await faultOf(() => users.links.look(code))).toBe(spent);
    expect(await faultOf(() => enrol(code, "eve"))).toBe(spent);
  });

  test("of two who use it at once one wins, and the other leaves nothing behind", async () => {
    const { first, enrol, users, derive, news } = makeLinkScene();
    const code = first();
    const release = derive.hold();
    const both = Promise.allSettled([enrol(code, "ada"), enrol(code, "eve")]);
    release();
    const results = await both;
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(users.list()).toHaveLength(1);
    expect(news().filter((line) => line.startsWith("user.enrolled"))).toHaveLength(1);
  });

  test("is stored as a hash", async () => {
    const scene = makeLinkScene();
    const code = scene.first();
    expect(everyText(scene)).toContain(hashSecret(code));
    expect(everyText(scene)).not.toContain(code);
    expect(await faultOf(() => scene.enrol(hashSecret(code), "eve"))).toBe(spent);
  });

  test("needs a name that nobody has, and is still good after a bad one", async () => {
    const { first, enrol, add, users, derive } = makeLinkScene();
    await add("grace");
    const code = first();
    const before = derive.asked.length;
    expect(await faultOf(() => enrol(code))).toBe("invalid: name: choose one to sign in with");
    expect(await faultOf(() => enrol(code, "GRACE"))).toBe("conflict: there is a user GRACE already");
    expect(derive.asked, "nothing was computed").toHaveLength(before);
    await enrol(code, "ada");
    expect(users.list().map(({ name }) => name)).toEqual(["ada", "grace"]);
  });

  test("is still good when its name was taken while the password was computed", async () => {
    const { first, enrol, add, derive, users } = makeLinkScene();
    const code = first();
    const release = derive.hold();
    const adding = add("Ada");
    const enrolling = faultOf(() => enrol(code, "ada"));
    release();
    await adding;
    expect(await enrolling).toBe("conflict: there is a user ada already");
    expect((await enrol(code, "root")).user.role).toBe("admin");
    expect(users.list().map(({ name }) => name)).toEqual(["Ada", "root"]);
  });
});

describe("an invitation", () => {
  test("is for one user, whose name and role are settled, for a day", async () => {
    const { invite, enrol, users, clock, addRoot, events } = makeLinkScene();
    await addRoot();
    const code = await invite("ada");
    const end = { purpose: "invite", name: "ada", expiresMs: clock.nowMs() + dayMs };
    expect(users.links.look(code)).toEqual(end);
    expect(await faultOf(() => users.authenticate("ada", chosen, from))).toMatch(/^unauthenticated/);
    await clock.turn(dayMs - 1);
    const { user } = await enrol(code, "root");
    expect(user).toMatchObject({ name: "ada", role: "viewer" });
    expect(events().find(({ type }) => type === "user.enrolled")?.data).toEqual({ purpose: "invite", role: "viewer" });
    expect((await users.authenticate("ada", chosen, from)).name).toBe("ada");
    expect(await faultOf(() => enrol(code))).toBe(spent);
  });

  test("ends after a day", async () => {
    const { invite, enrol, clock } = makeLinkScene();
    const code = await invite("ada");
    await clock.turn(dayMs);
    expect(await faultOf(() => enrol(code))).toBe(spent);
  });

  test("carries the role that the user has when it is used", async () => {
    const { invite, enrol, users } = makeLinkScene();
    const code = await invite("ada");
    users.setRole("ada", "operator", origin);
    expect((await enrol(code)).user.role).toBe("operator");
  });

  test("dies with the next link of the same user, not with another's", async () => {
    const { invite, enrol, users } = makeLinkScene();
    const [ada, grace] = [await invite("ada"), await invite("grace")];
    const { link } = users.reset("ada", origin);
    expect(await faultOf(() => enrol(ada))).toBe(spent);
    expect((await enrol(grace)).user.name).toBe("grace");
    expect((await enrol(link.code)).user.name).toBe("ada");
  });

  test("of one who is disabled is dead, also while the password is computed, and stays so", async () => {
    const { invite, enrol, users, derive, addRoot } = makeLinkScene();
    await addRoot();
    const code = await invite("ada");
    const release = derive.hold();
    const late = faultOf(() => enrol(code));
    users.disable("ada", origin);
    release();
    expect(await late).toBe(spent);
    expect(await faultOf(() => users.links.look(code))).toBe(spent);
    users.enable("ada", origin);
    expect(await faultOf(() => enrol(code))).toBe(spent);
    expect(users.list().find(({ name }) => name === "ada")?.password).toBeUndefined();
  });
});

test.each(["invite", "reset"] as const)(
  "%s opens no way in for one who is disabled, even where it was left",
  async (purpose) => {
    const { users, add, enrol, db, log, clock } = makeLinkScene();
    const ada = await add("ada");
    const { code } = log.deed(origin, (tx, emit) => users.links.makeIn(tx, emit, purpose, ada));
    db.tx((tx) => updateUser(tx, { ...ada, disabledMs: clock.nowMs() }));
    expect(await faultOf(() => enrol(code))).toBe(spent);
    expect(users.list()[0]).toMatchObject({ password: ada.password, disabledMs: clock.nowMs() });
  },
);

describe("a reset", () => {
  test("ends the sessions, forgets the password, and lets the user choose one", async () => {
    const { users, add, addRoot, enrol, news } = makeLinkScene();
    await addRoot();
    const ada = await add("ada", "operator");
    const { secret } = users.sessions.openBrowser(ada, from);
    const { accessToken } = await users.grants.openClient(ada, from);
    news();
    const { user, link } = users.reset("ADA", origin);
    expect(user.password).toBeUndefined();
    expect(news()).toEqual(["session.ended user:ada", "session.ended user:ada", "user.linkMade user:ada"]);
    expect(users.sessions.ofCookie(secret)).toEqual({ kind: "nobody" });
    expect(await users.identify({ bearer: accessToken })).toEqual({ kind: "nobody" });
    expect(await faultOf(() => users.authenticate("ada", passwordOf("ada"), from))).toMatch(/^unauthenticated/);
    expect((await enrol(link.code)).user).toMatchObject({ name: "ada", role: "operator" });
    expect(await faultOf(() => users.authenticate("ada", passwordOf("ada"), from))).toMatch(/^unauthenticated/);
    expect((await users.authenticate("ada", chosen, from)).name).toBe("ada");
  });
});

describe("a rescue", () => {
  test("makes its user an admin who may sign in again, and ends what was open", async () => {
    const { users, add, addRoot, enrol, news, clock } = makeLinkScene();
    await addRoot();
    const ada = await add("ada");
    users.disable("ada", origin);
    const { code, expiresMs } = users.rescue("Ada", origin);
    expect(expiresMs).toBe(clock.nowMs() + 15 * minuteMs);
    expect(users.list().find(({ id }) => id === ada.id)).toMatchObject({ role: "viewer" });
    expect(users.links.look(code)).toMatchObject({ purpose: "rescue", name: "ada" });
    news();
    const { user, opened } = await enrol(code);
    expect(user).toMatchObject({ id: ada.id, role: "admin", disabledMs: undefined });
    expect(users.sessions.ofCookie(opened.secret)).toMatchObject({ name: "ada", role: "admin" });
    expect(news()).toEqual([
      ...["user.enabled user:ada", "user.roleChanged user:ada", "user.enrolled user:ada", "session.opened user:ada"],
    ]);
    expect(await faultOf(() => enrol(code))).toBe(spent);
  });

  test("of one who is signed in takes the sessions of whoever has the password", async () => {
    const { users, add, enrol } = makeLinkScene();
    const ada = await add("ada", "admin");
    const { secret } = users.sessions.openBrowser(ada, from);
    const { code } = users.rescue("ada", origin);
    expect(users.sessions.ofCookie(secret), "until it is used nothing changes").toMatchObject({ name: "ada" });
    await enrol(code);
    expect(users.sessions.ofCookie(secret)).toEqual({ kind: "nobody" });
    expect(await faultOf(() => users.authenticate("ada", passwordOf("ada"), from))).toMatch(/^unauthenticated/);
  });

  test("without a name makes a new admin, also where there is one", async () => {
    const { users, addRoot, enrol } = makeLinkScene();
    await addRoot();
    const { code } = users.rescue(undefined, origin);
    expect(await faultOf(() => enrol(code, "root"))).toBe("conflict: there is a user root already");
    expect((await enrol(code, "ada")).user).toMatchObject({ name: "ada", role: "admin" });
  });

  test("kills the earlier one of the same user, or without a name; not the others", async () => {
    const { users, add, enrol } = makeLinkScene();
    await add("ada");
    await add("grace");
    const rescue = (name?: string) => users.rescue(name, origin).code;
    const [ada, grace, anyone] = [rescue("ada"), rescue("grace"), rescue()];
    const [adaNext, anyoneNext] = [rescue("ada"), rescue()];
    for (const code of [ada, anyone]) expect(await faultOf(() => enrol(code, "eve"))).toBe(spent);
    for (const code of [grace, adaNext, anyoneNext]) expect((await enrol(code, "new")).user.role).toBe("admin");
  });

  test("of nobody is refused", async () => {
    const { users } = makeLinkScene();
    expect(await faultOf(() => users.rescue("ada", origin))).toBe("missing: there is no user ada");
  });

  test("dies when its user chooses a password another way", async () => {
    const { users, add, enrol } = makeLinkScene();
    const ada = await add("ada");
    const { code } = users.rescue("ada", origin);
    const caller = users.sessions.ofCookie(users.sessions.openBrowser(ada, from).secret);
    await users.changePassword(caller, passwordOf("ada"), chosen, from);
    expect(await faultOf(() => enrol(code))).toBe(spent);
  });
});

test.each(["", "x", "%", "\0", "a".repeat(200)])("a code that nobody made is none: %j", async (code) => {
  const { users, enrol, derive } = makeLinkScene();
  users.firstCode();
  expect(await faultOf(() => users.links.look(code))).toBe(spent);
  expect(await faultOf(() => enrol(code, "eve"))).toBe(spent);
  expect(derive.asked).toEqual([]);
});

test("what is over is swept: expired links, and the first one when there is an admin", async () => {
  const { users, first, db, clock, invite, addRoot } = makeLinkScene();
  const [one, ada] = [first(), await invite("ada")];
  const kept = () => [one, ada].map((code) => selectLink(db, hashSecret(code))?.purpose);
  users.sweep();
  expect(kept()).toEqual(["first", "invite"]);
  await addRoot();
  users.sweep();
  expect(kept()).toEqual([undefined, "invite"]);
  await clock.turn(dayMs + 1);
  users.sweep();
  expect(kept()).toEqual([undefined, undefined]);
});
