import { createHmac } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { silentTrace } from "#base/trace.ts";
import { api } from "#wire/api.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import type { Grant, Me } from "#wire/user.ts";
import type { AnyHandler } from "./serve/route.ts";
import { openScene, request } from "./serve/serve.scene.ts";
import { serveTable } from "./serve/serve.ts";
import { userHandlers } from "./user/http.ts";
import { makeScene, minuteMs, origin, passwordOf, signingKey } from "./user/user.scene.ts";

/** The endpoints of users on a real port, with real users behind them. */
async function openDoor() {
  const scene = makeScene();
  const { users } = scene;
  const handlers = userHandlers({ users }) as unknown as Readonly<Record<string, AnyHandler>>;
  const table = Object.fromEntries(Object.entries(api).filter(([name]) => name in handlers)) as Record<
    string,
    Endpoint
  >;
  let count = 0;
  const served = await serveTable(table, handlers, {
    ...{ host: "127.0.0.1", port: 0, clock: systemClock, trace: silentTrace, pages: undefined },
    makeCorrelation: () => `cor_${++count}`,
    identify: (credentials) => users.identify(credentials),
    recall: (caller) => users.recall(caller),
    checkCsrf: (caller, header) => users.checkCsrf(caller, header),
    refused: (refusal) => users.recordRefusal(refusal),
  });
  onTestFinished(() => served.close());
  const url = `http://127.0.0.1:${served.port}`;
  const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url + path, {
      ...{ method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } },
    });
  const get = (path: string, headers: Readonly<Record<string, string>>) => fetch(url + path, { headers });
  return { ...scene, url, post, get };
}

type Door = Awaited<ReturnType<typeof openDoor>>;

const paths = {
  session: "/api/v1/auth/session",
  login: "/api/v1/auth/login",
  refresh: "/api/v1/auth/refresh",
  me: "/api/v1/auth/me",
  logout: "/api/v1/auth/logout",
  password: "/api/v1/auth/password",
};

const cookieOf = (response: Response) => response.headers.get("set-cookie") ?? "";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function signIn({ post, url }: Door, name: string, headers: Readonly<Record<string, string>> = { origin: url }) {
  const response = await post(paths.session, { name, password: passwordOf(name) }, headers);
  const { csrf = "" } = (await response.json()) as Me;
  const set = cookieOf(response);
  const cookie = set.split(";")[0] ?? "";
  return { response, set, cookie, own: { cookie, origin: url, "x-csrf-token": csrf } };
}

async function logIn({ post }: Door, name: string): Promise<Grant> {
  return (await (await post(paths.login, { name, password: passwordOf(name) })).json()) as Grant;
}

describe("a browser", () => {
  test("gets a cookie that only the hub sees, and is taken back when it signs out", async () => {
    const door = await openDoor();
    await door.add("ada");
    const { set, cookie, own } = await signIn(door, "ada");
    expect(set).toMatch(/^fed_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/);
    expect(await (await door.get(paths.me, { cookie })).json()).toMatchObject({ kind: "user", name: "ada" });
    expect((await door.post(paths.logout, {}, { cookie, origin: door.url })).status).toBe(403);
    expect((await door.get(paths.me, { cookie })).status).toBe(200);
    const out = await door.post(paths.logout, {}, own);
    expect(out.status).toBe(200);
    expect(cookieOf(out)).toBe("fed_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    expect((await door.get(paths.me, { cookie })).status).toBe(401);
  });

  test("that came by https keeps the cookie there", async () => {
    const door = await openDoor();
    await door.add("ada");
    const https = { origin: door.url.replace("http:", "https:") };
    const { set, own } = await signIn(door, "ada", https);
    expect(set).toMatch(/; Secure$/);
    expect(cookieOf(await door.post(paths.logout, {}, { ...own, ...https }))).toMatch(/Max-Age=0; Secure$/);
  });

  test("is signed in by the first link, and by no second use of it", async () => {
    const door = await openDoor();
    const wish = { code: door.users.firstCode(), name: "ada", password: "a password I chose" };
    const response = await door.post("/api/v1/auth/enrol", wish, { origin: door.url });
    expect(response.status).toBe(200);
    const cookie = cookieOf(response).split(";")[0] ?? "";
    expect(await (await door.get(paths.me, { cookie })).json()).toMatchObject({ name: "ada", role: "admin" });
    const again = await door.post("/api/v1/auth/enrol", { ...wish, name: "eve" }, { origin: door.url });
    expect([again.status, cookieOf(again)]).toEqual([404, ""]);
  });

  test("whose cookie was stolen changes the password, and the thief is out", async () => {
    const door = await openDoor();
    await door.add("ada");
    const [mine, thief] = [await signIn(door, "ada"), await signIn(door, "ada")];
    const wish = { current: passwordOf("ada"), next: "another password" };
    expect(await (await door.post(paths.password, wish, mine.own)).json()).toEqual({ sessionsEnded: 1 });
    expect((await door.get(paths.me, { cookie: thief.cookie })).status).toBe(401);
    expect((await door.post(paths.password, wish, thief.own)).status).toBe(401);
    expect((await door.get(paths.me, { cookie: mine.cookie })).status).toBe(200);
  });

  test("of one who is lowered may do less with the very next request, and it is in the log", async () => {
    const door = await openDoor();
    await door.add("root", "admin");
    await door.add("ada", "admin");
    const { cookie } = await signIn(door, "ada");
    expect((await door.get("/api/v1/users", { cookie })).status).toBe(200);
    door.users.setRole("ada", "operator", origin);
    door.news();
    expect((await door.get("/api/v1/users", { cookie })).status).toBe(403);
    expect(door.news()).toEqual(["access.refused user:ada"]);
  });
});

describe("a program", () => {
  test("logs in, refreshes, and is out when an old refresh token is shown", async () => {
    const door = await openDoor();
    await door.add("ada");
    const first = await logIn(door, "ada");
    expect((await door.get(paths.me, bearer(first.accessToken))).status).toBe(200);
    const refreshed = await door.post(paths.refresh, { refreshToken: first.refreshToken });
    const second = (await refreshed.json()) as Grant;
    expect(refreshed.headers.get("set-cookie")).toBeNull();
    expect((await door.get(paths.me, bearer(second.accessToken))).status).toBe(200);
    door.news();
    expect((await door.post(paths.refresh, { refreshToken: first.refreshToken })).status).toBe(401);
    expect((await door.get(paths.me, bearer(second.accessToken))).status).toBe(401);
    expect((await door.post(paths.refresh, { refreshToken: second.refreshToken })).status).toBe(401);
    const refused = ["access.refused hub", "access.refused hub"];
    expect(door.news()).toEqual(["session.replayed user:ada", "session.ended user:ada", ...refused]);
  });

  test("is 401 with an access token that is expired, unsigned, or of another key", async () => {
    const door = await openDoor();
    await door.add("ada");
    const { accessToken } = await logIn(door, "ada");
    const [head = "", body = ""] = accessToken.split(".");
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    const sign = (key: Uint8Array) => createHmac("sha256", key).update(`${head}.${body}`).digest("base64url");
    expect(`${head}.${body}.${sign(signingKey)}`).toBe(accessToken);
    for (const forged of [`${none}.${body}.`, `${none}.${body}.x`, `${head}.${body}.${sign(new Uint8Array(32))}`])
      expect((await door.get(paths.me, bearer(forged))).status).toBe(401);
    expect((await door.get(paths.me, bearer(accessToken))).status).toBe(200);
    await door.clock.turn(10 * minuteMs);
    expect((await door.get(paths.me, bearer(accessToken))).status).toBe(401);
  });
});

describe("who shows what is not good", () => {
  test("is in the log: each kind once a minute, under the request's id, and never what was shown", async () => {
    const door = await openDoor();
    const ada = await door.add("ada");
    const { secret } = door.users.tokens.create({ kind: "local" }, { name: "ci", role: "viewer" }, origin);
    const grant = await logIn(door, "ada");
    const browser = await signIn(door, "ada");
    const [, body = ""] = grant.accessToken.split(".");
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`;
    const code = door.users.rescue("ada", origin).code;
    door.users.disable("ada", origin);
    door.news();
    const ids = new Set<string | null>();
    const tryAll = async () => {
      for (const headers of [bearer(none), bearer(grant.accessToken), bearer(`${secret}x`), { cookie: browser.cookie }])
        ids.add((await door.get(paths.me, headers)).headers.get("x-request-id"));
      for (const guess of [code, "a guess"]) {
        ids.add((await door.post("/api/v1/auth/link", { code: guess })).headers.get("x-request-id"));
        await door.post("/api/v1/auth/enrol", { code: guess, name: "eve", password: "a password I chose" });
      }
      ids.add((await door.post(paths.refresh, grant)).headers.get("x-request-id"));
    };
    for (let n = 0; n < 3; n++) await tryAll();
    expect(door.news()).toEqual(Array.from({ length: 4 }, () => "access.refused hub"));
    const lines = door.events().slice(-4);
    expect(lines.map(({ data }) => ("endpoint" in data ? [data.endpoint, data.reason] : []))).toEqual([
      ["me", "the bearer shown is not known, or no longer good"],
      ["me", "the cookie shown is not known, or no longer good"],
      ["lookAtLink", "the link shown is not known, or no longer good"],
      ["refresh", "the refresh token shown is not known, or no longer good"],
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({ actor: "nobody", data: { address: "127.0.0.1" } });
      expect(ids).toContain(line.correlation);
      for (const shown of [none, grant.accessToken, grant.refreshToken, secret, browser.cookie.slice(12), code, ada.id])
        expect(JSON.stringify(line)).not.toContain(shown);
    }
  });

  test("who shows nothing is not in it", async () => {
    const door = await openDoor();
    for (const path of [paths.me, "/api/v1/users"]) expect((await door.get(path, {})).status).toBe(401);
    expect(door.news()).toEqual([]);
  });
});

describe("who may only look", () => {
  test("makes no more lines than so many a minute by signing in and making tokens; signing out always works", async () => {
    const door = await openDoor();
    await door.add("ada");
    const first = await signIn(door, "ada");
    const statuses = new Map<string, number>();
    const count = (what: string, { status }: Response) =>
      statuses.set(`${what} ${status}`, (statuses.get(`${what} ${status}`) ?? 0) + 1);
    for (let n = 0; n < 50; n++) {
      const made = await door.post("/api/v1/tokens", { name: "ci" }, first.own);
      count("token", made.clone());
      if (made.status !== 200) continue;
      const { token } = (await made.json()) as { token: { id: string } };
      count("revoke", await door.post(`/api/v1/tokens/${token.id}/revoke`, {}, first.own));
    }
    for (let n = 0; n < 20; n++) {
      const { response } = await signIn(door, "ada");
      count("sign in", response);
    }
    expect(Object.fromEntries(statuses)).toEqual({
      ...{ "token 200": 50, "revoke 200": 50, "sign in 200": 9, "sign in 429": 11 },
    });
    expect((await door.post(paths.login, { name: "ada", password: passwordOf("ada") })).status).toBe(429);
    expect((await door.post(paths.logout, {}, first.own)).status).toBe(200);
    await door.clock.turn(minuteMs);
    expect((await signIn(door, "ada")).response.status).toBe(200);
  });
});

describe("who guesses", () => {
  test("sees the same answer for every reason, to the letter", async () => {
    const door = await openDoor();
    for (const name of ["ada", "grace"]) await door.add(name);
    door.users.disable("grace", origin);
    await door.users.add("eve", "viewer", undefined, origin);
    const seen = new Set<string>();
    for (const path of [paths.login, paths.session]) {
      for (const name of ["ada", "grace", "eve", "nobody"]) {
        const password = name === "grace" ? passwordOf("grace") : "a wrong guess";
        const response = await door.post(path, { name, password }, { origin: door.url });
        expect(response.status).toBe(401);
        const changing = ["date", "x-request-id"];
        const headers = [...response.headers].filter(([header]) => !changing.includes(header));
        seen.add(JSON.stringify([headers, await response.json()]));
      }
    }
    expect([...seen]).toHaveLength(1);
    expect([...seen][0]).toContain("the name or the password is wrong");
  });

  test("is told to come back later, with the right password too", async () => {
    const door = await openDoor();
    await door.add("ada");
    for (let n = 0; n < 5; n++) await door.post(paths.login, { name: "ada", password: `guess ${n}` });
    const response = await door.post(paths.login, { name: "Ada", password: passwordOf("ada") });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
    await door.clock.turn(1_000);
    expect((await door.post(paths.login, { name: "Ada", password: passwordOf("ada") })).status).toBe(200);
  });
});

test("who is signed out, or lowered, while the body of a request is on its way, does nothing with it", async () => {
  const called: unknown[] = [];
  const echo: AnyHandler = (input) => called.push(input);
  for (const deed of ["sign out", "lower", "nothing"] as const) {
    const hub = await openScene({ handlers: { echo } });
    const raw = hub.connect();
    const headers = { authorization: "Bearer operator", "content-type": "application/json", "content-length": "2" };
    raw.send(request("POST /api/v1/echo/x", { ...headers, connection: "close" }));
    raw.send("{");
    while (hub.shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (deed === "sign out") hub.callers.delete("operator");
    if (deed === "lower") hub.callers.set("operator", { kind: "token", tokenId: "tok_1", name: "ci", role: "viewer" });
    raw.send("}");
    const status = { "sign out": 401, lower: 403, nothing: 200 }[deed];
    expect(await raw.closed).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(called).toHaveLength(deed === "nothing" ? 1 : 0);
    expect(hub.refusals).toHaveLength(deed === "nothing" ? 0 : 1);
  }
});
