import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { api } from "#wire/api.ts";
import type { CallContext, Caller } from "#wire/handler.ts";
import type { Role } from "#wire/role.ts";
import { userHandlers } from "./http.ts";
import { faultOf, makeScene, passwordOf } from "./user.scene.ts";
import { sessionMs } from "./user.ts";

const chosen = "a password I chose";

/** The door of a scene, and what it did with the cookie of the browser that calls. */
function makeDoor() {
  const scene = makeScene();
  const { users } = scene;
  const cookies: string[] = [];
  const call = (caller: Caller = { kind: "nobody" }): CallContext => ({
    ...{ signal: new AbortController().signal, correlation: "cor_7", caller, actor: "whoever calls" },
    ...{ address: "192.0.2.1", agent: "Mozilla/5.0", origin: "http://hub" },
    cookie: {
      set: (secret, maxAgeSeconds) => void cookies.push(`${secret} ${maxAgeSeconds}`),
      clear: () => void cookies.push("cleared"),
    },
    tell() {},
  });
  const signIn = async (name: string, role?: Role) => {
    const user = await scene.add(name, role);
    const from = { address: "192.0.2.1", agent: "", correlation: "cor_1" };
    const { secret, csrf } = users.sessions.openBrowser(user, from);
    return { caller: users.sessions.ofCookie(secret), secret, csrf };
  };
  /** What the browser keeps now. */
  const cookie = () => cookies.at(-1)?.split(" ")[0] ?? "";
  return { ...scene, cookies, cookie, call, signIn, door: userHandlers({ users }) };
}

/** Answers what it promises and not a field more. */
const exact = <T extends z.ZodObject>(endpoint: { readonly output: T }, answer: unknown) => {
  expect(endpoint.output.strict().parse(answer)).toEqual(answer);
  expect(JSON.stringify(answer)).not.toContain("argon2");
  return answer as z.infer<T>;
};

describe("a page", () => {
  test("signs in: the cookie has the secret, the answer has what guards it", async () => {
    const { door, call, users, add, cookies, cookie } = makeDoor();
    await add("ada", "operator");
    const me = exact(api.openSession, await door.openSession({ name: "ADA", password: passwordOf("ada") }, call()));
    const caller = users.sessions.ofCookie(cookie());
    expect(cookies).toEqual([`${cookie()} ${sessionMs / 1_000}`]);
    expect(caller).toMatchObject({ name: "ada", role: "operator", session: { kind: "browser" } });
    expect(me).toEqual({ kind: "user", name: "ada", role: "operator", csrf: expect.any(String) });
    expect(users.checkCsrf(caller, me.csrf)).toBe(true);
    expect(JSON.stringify(me)).not.toContain(cookie());
    expect(exact(api.me, await door.me({}, call(caller)))).toEqual(me);
  });

  test("gets no cookie for a wrong password", async () => {
    const { door, call, add, cookies } = makeDoor();
    await add("ada");
    expect(await faultOf(() => door.openSession({ name: "ada", password: "a guess" }, call()))).toMatch(/^unauthent/);
    expect(cookies).toEqual([]);
  });

  test("signs out: the session is over, the cookie is taken back", async () => {
    const { door, call, signIn, users, cookies, news, events } = makeDoor();
    const { caller, secret } = await signIn("ada");
    news();
    expect(exact(api.logout, await door.logout({}, call(caller)))).toEqual({ done: true });
    expect(cookies).toEqual(["cleared"]);
    expect(users.sessions.ofCookie(secret)).toEqual({ kind: "nobody" });
    expect(news()).toEqual(["session.ended user:ada"]);
    expect(events().at(-1)).toMatchObject({ actor: "whoever calls", correlation: "cor_7" });
  });

  test("signs out also when that cannot be written: the cookie is taken back first", async () => {
    const { door, call, signIn, users, cookies, db } = makeDoor();
    const { caller, secret } = await signIn("ada");
    db.tx((tx) => tx.script("CREATE TRIGGER broken BEFORE UPDATE ON session BEGIN SELECT RAISE(ABORT, 'broken'); END"));
    await expect((async () => door.logout({}, call(caller)))()).rejects.toThrow("broken");
    expect(cookies).toEqual(["cleared"]);
    expect(users.sessions.ofCookie(secret)).toEqual({ kind: "nobody" });
  });

  test("is enrolled: looks at the link, chooses, and is signed in", async () => {
    const { door, call, users, cookie } = makeDoor();
    const code = users.firstCode() ?? "";
    const seen = exact(api.lookAtLink, await door.lookAtLink({ code }, call()));
    expect(seen).toEqual({ purpose: "first", expiresMs: expect.any(Number) });
    const me = exact(api.enrol, await door.enrol({ code, name: "ada", password: chosen }, call()));
    expect(me).toMatchObject({ name: "ada", role: "admin" });
    const caller = users.sessions.ofCookie(cookie());
    expect(caller).toMatchObject({ name: "ada", role: "admin" });
    expect(users.checkCsrf(caller, me.csrf)).toBe(true);
  });

  test("gets no cookie for a link that is no longer good", async () => {
    const { door, call, cookies } = makeDoor();
    expect(await faultOf(() => door.enrol({ code: "x", password: chosen }, call()))).toMatch(/^missing/);
    expect(cookies).toEqual([]);
  });

  test("changes the password and stays signed in", async () => {
    const { door, call, signIn, users, cookies } = makeDoor();
    const { caller, secret } = await signIn("ada");
    const wish = { current: passwordOf("ada"), next: chosen };
    expect(exact(api.changePassword, await door.changePassword(wish, call(caller)))).toEqual({ sessionsEnded: 0 });
    expect(cookies).toEqual([]);
    expect(users.sessions.ofCookie(secret)).toEqual(caller);
  });
});

describe("a program", () => {
  test("logs in and refreshes without a cookie, and logs out", async () => {
    const { door, call, add, cookies, users } = makeDoor();
    await add("ada");
    const grant = exact(api.login, await door.login({ name: "ada", password: passwordOf("ada") }, call()));
    const next = exact(api.refresh, await door.refresh({ refreshToken: grant.refreshToken }, call()));
    expect(cookies).toEqual([]);
    const caller = await users.identify({ bearer: next.accessToken });
    expect(exact(api.me, await door.me({}, call(caller)))).toEqual({ kind: "user", name: "ada", role: "viewer" });
    await door.logout({}, call(caller));
    expect(await users.identify({ bearer: next.accessToken })).toEqual({ kind: "nobody" });
    expect(await faultOf(() => door.refresh({ refreshToken: next.refreshToken }, call()))).toMatch(/^unauthenticated/);
  });

  test("with a token is told who it is; signing out ends no token", async () => {
    const { door, call, users, signIn } = makeDoor();
    const { caller } = await signIn("ada", "operator");
    const made = exact(api.createToken, await door.createToken({ name: "ci", role: "viewer" }, call(caller)));
    const token = users.tokens.identify(made.secret);
    expect(exact(api.me, await door.me({}, call(token)))).toEqual({ kind: "token", name: "ci", role: "viewer" });
    await door.logout({}, call(token));
    expect(users.tokens.identify(made.secret)).toEqual(token);
    expect(exact(api.tokens, await door.tokens({}, call(caller)))).toMatchObject({ tokens: [{ user: "ada" }] });
    const { id } = made.token;
    expect(exact(api.revokeToken, await door.revokeToken({ id }, call(caller)))).toMatchObject({
      token: { id, state: "revoked" },
    });
    expect(users.tokens.identify(made.secret)).toEqual({ kind: "nobody" });
  });

  test("on the hub's own machine is `local`", async () => {
    const { door, call } = makeDoor();
    const me = exact(api.me, await door.me({}, call({ kind: "local" })));
    expect(me).toEqual({ kind: "local", name: "local", role: "admin" });
  });
});

describe("an admin", () => {
  test("adds, disables, enables, promotes and resets; each answer shows the user as they are now", async () => {
    const { door, call, signIn, events, cookies } = makeDoor();
    const { caller } = await signIn("root", "admin");
    const context = call(caller);
    const ada = { name: "ada" };
    const added = exact(api.addUser, await door.addUser({ ...ada, role: "viewer" }, context));
    expect(added.user).toMatchObject({ name: "ada", role: "viewer", state: "invited" });
    // No address: the hub does not know by which one they reach it.
    expect(added.link).toEqual({
      path: expect.stringMatching(/^\/welcome#code=[\w-]{43}$/),
      expiresMs: expect.any(Number),
    });
    const withPassword = { name: "grace", role: "viewer", password: chosen } as const;
    expect(exact(api.addUser, await door.addUser(withPassword, context))).not.toHaveProperty("link");
    const states = [
      exact(api.disableUser, await door.disableUser(ada, context)),
      exact(api.enableUser, await door.enableUser(ada, context)),
      exact(api.setRole, await door.setRole({ ...ada, role: "operator" }, context)),
    ];
    expect(states.map(({ user }) => `${user.state} ${user.role}`)).toEqual([
      ...["disabled viewer", "invited viewer", "invited operator"],
    ]);
    const reset = exact(api.resetUser, await door.resetUser({ name: "grace" }, context));
    expect(reset).toMatchObject({ user: { name: "grace", state: "invited" } });
    const { users } = exact(api.users, await door.users({}, context));
    expect(users.map(({ name, state }) => `${name} ${state}`)).toEqual(["ada invited", "grace invited", "root active"]);
    expect(cookies).toEqual([]);
    const mine = events().filter(({ correlation }) => correlation === "cor_7");
    expect(new Set(mine.map(({ actor }) => actor))).toEqual(new Set(["whoever calls"]));
    expect(mine.map(({ type }) => type)).toEqual([
      ...["user.added", "user.linkMade", "user.added", "user.disabled", "user.enabled", "user.roleChanged"],
      "user.linkMade",
    ]);
  });

  test("rescues by a link", async () => {
    const { door, call, users } = makeDoor();
    const { link } = exact(api.rescue, await door.rescue({}, call({ kind: "local" })));
    const [, code = ""] = link.path.split("=");
    expect(users.links.look(code)).toMatchObject({ purpose: "rescue", expiresMs: link.expiresMs });
    const looked = exact(api.lookAtLink, await door.lookAtLink({ code }, call()));
    expect(looked).not.toHaveProperty("name");
  });
});
