import { describe, expect, test } from "vitest";
import { faultOf, from, makeScene, origin, passwordOf } from "./user.scene.ts";

const lastAdmin = (name: string) => `conflict: ${name} is the last admin of this hub`;

describe("adding", () => {
  test("with a password: they sign in at once, and there is no link", async () => {
    const { users, news, events } = makeScene();
    const { user, link } = await users.add("Ada", "operator", passwordOf("ada"), origin);
    expect(link).toBeUndefined();
    expect(user).toMatchObject({ name: "Ada", role: "operator", disabledMs: undefined, signedInMs: undefined });
    expect(user.id).toMatch(/^usr_/);
    expect(users.list()).toEqual([user]);
    expect((await users.authenticate("ada", passwordOf("ada"), from)).id).toBe(user.id);
    expect(news()).toEqual(["user.added user:Ada"]);
    expect(events()[0]).toMatchObject({ ...origin, data: { role: "operator" } });
  });

  test("without one: they are invited by a link", async () => {
    const { users, news } = makeScene();
    const { user, link } = await users.add("ada", "viewer", undefined, origin);
    expect(user.password).toBeUndefined();
    expect(users.links.look(link?.code ?? "")).toMatchObject({ purpose: "invite", name: "ada" });
    expect(news()).toEqual(["user.added user:ada", "user.linkMade user:ada"]);
  });

  test.each(["ada", "ADA", "Ada"])("a name that is taken, whatever its case, is a conflict: %s", async (name) => {
    const { users, add, news, derive } = makeScene();
    await add("Ada");
    news();
    const before = derive.asked.length;
    expect(await faultOf(() => users.add(name, "admin", "some password", origin))).toBe(
      `conflict: there is a user ${name} already`,
    );
    expect(users.list()).toHaveLength(1);
    expect(news()).toEqual([]);
    expect(derive.asked).toHaveLength(before);
  });

  test("of two at once with one name one wins", async () => {
    const { users, derive, news } = makeScene();
    const release = derive.hold();
    const both = ["ada", "ADA"].map((name) => faultOf(() => users.add(name, "viewer", "some password", origin)));
    release();
    expect((await Promise.all(both)).toSorted()).toEqual([
      expect.stringMatching(/^conflict: there is a user (ada|ADA) already$/),
      "no fault",
    ]);
    expect(users.list()).toHaveLength(1);
    expect(news()).toHaveLength(1);
  });

  test("the list is in the order of names, whatever their case", async () => {
    const { users, add } = makeScene();
    for (const name of ["grace", "Bob", "ada", "Zoe"]) await add(name);
    expect(users.list().map(({ name }) => name)).toEqual(["ada", "Bob", "grace", "Zoe"]);
  });
});

describe("the last admin", () => {
  test("is not disabled, lowered or reset; nothing of it happens", async () => {
    const { users, add, news } = makeScene();
    const ada = await add("ada", "admin");
    await add("grace", "operator");
    const { secret } = users.sessions.openBrowser(ada, from);
    news();
    expect(await faultOf(() => users.disable("ada", origin))).toBe(lastAdmin("ada"));
    expect(await faultOf(() => users.setRole("ADA", "operator", origin))).toBe(lastAdmin("ada"));
    expect(await faultOf(() => users.reset("ada", origin))).toBe(lastAdmin("ada"));
    expect(news()).toEqual([]);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada", role: "admin" });
    expect((await users.authenticate("ada", passwordOf("ada"), from)).role).toBe("admin");
  });

  test("is one beside others who cannot sign in: disabled, or invited only", async () => {
    const { users, add } = makeScene();
    await add("ada", "admin");
    await add("grace", "admin");
    const { link } = await users.add("eve", "admin", undefined, origin);
    users.disable("grace", origin);
    expect(await faultOf(() => users.disable("ada", origin))).toBe(lastAdmin("ada"));
    users.enable("grace", origin);
    users.disable("ada", origin);
    expect(await faultOf(() => users.reset("grace", origin))).toBe(lastAdmin("grace"));
    await users.links.enrol(link?.code ?? "", undefined, "a new password", from);
    users.reset("grace", origin);
    expect(await faultOf(() => users.setRole("eve", "viewer", origin))).toBe(lastAdmin("eve"));
  });

  test("may be done what changes nothing", async () => {
    const { users, add, news } = makeScene();
    await add("ada", "admin");
    news();
    users.setRole("ada", "admin", origin);
    users.enable("ada", origin);
    expect(news()).toEqual([]);
  });

  test("is nobody before there is one", async () => {
    const { users, add } = makeScene();
    await add("grace", "operator");
    users.setRole("grace", "viewer", origin);
    users.reset("grace", origin);
    users.disable("grace", origin);
    expect(users.firstCode()).toBeDefined();
  });
});

describe("disabling and enabling", () => {
  test("ends all sessions, is said once, and keeps when it was", async () => {
    const { users, add, news, clock } = makeScene();
    const ada = await add("ada");
    users.sessions.openBrowser(ada, from);
    await users.grants.openClient(ada, from);
    news();
    const disabledMs = clock.nowMs();
    expect(users.disable("Ada", origin)).toMatchObject({ name: "ada", disabledMs });
    expect(news()).toEqual(["user.disabled user:ada", "session.ended user:ada", "session.ended user:ada"]);
    await clock.turn(1_000);
    expect(users.disable("ada", origin)).toMatchObject({ disabledMs });
    expect(news()).toEqual([]);
    expect(users.enable("ADA", origin).disabledMs).toBeUndefined();
    users.enable("ada", origin);
    expect(news()).toEqual(["user.enabled user:ada"]);
    expect((await users.authenticate("ada", passwordOf("ada"), from)).id).toBe(ada.id);
  });

  test("one who is disabled is not reset: that would be a way back in", async () => {
    const { users, add, news } = makeScene();
    await add("ada");
    users.disable("ada", origin);
    news();
    expect(await faultOf(() => users.reset("ada", origin))).toBe("conflict: ada is disabled");
    expect(news()).toEqual([]);
  });

  test("a role given meanwhile is the role afterwards", async () => {
    const { users, add } = makeScene();
    await add("ada");
    users.disable("ada", origin);
    users.setRole("ada", "operator", origin);
    expect(users.enable("ada", origin).role).toBe("operator");
  });
});

test("a new role is told with the old one", async () => {
  const { users, add, events } = makeScene();
  await add("ada");
  expect(users.setRole("ada", "admin", origin).role).toBe("admin");
  expect(events().at(-1)).toMatchObject({
    ...{ type: "user.roleChanged", subject: "user:ada", ...origin, data: { from: "viewer", to: "admin" } },
  });
});

test.each<["disable" | "enable" | "reset" | "rescue" | "setRole"]>([
  ["disable"],
  ["enable"],
  ["reset"],
  ["rescue"],
  ["setRole"],
])("%s of nobody says who there is", async (deed) => {
  const { users, add } = makeScene();
  const run = (name: string) =>
    faultOf(() => (deed === "setRole" ? users.setRole(name, "viewer", origin) : users[deed](name, origin)));
  expect(await run("ada")).toBe("missing: there is no user ada");
  await add("grace");
  for (const name of ["", "%", "grac_", "grace ", "ada"])
    expect(await run(name)).toBe(`missing: there is no user ${name}`);
  expect(() => users.disable("ada", origin)).toThrow(expect.objectContaining({ hint: "There are: grace." }));
});
