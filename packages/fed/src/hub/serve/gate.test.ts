import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { type Endpoint, fillPath } from "#wire/endpoint.ts";
import { mayDo, roles } from "#wire/role.ts";
import type { AnyHandler } from "./route.ts";
import { openScene } from "./serve.scene.ts";

const endpoints = Object.entries(api) as [string, Endpoint][];

/** Some request that names the endpoint; its input need not be valid, because who calls is looked at first. */
function requestOf(endpoint: Endpoint): { readonly path: string; readonly init: RequestInit } {
  const { path } = fillPath(endpoint.path, { name: "x", id: "x", environment: "x", service: "x" });
  if (endpoint.method === "GET") return { path, init: {} };
  return { path, init: { method: "POST", body: "{}", headers: { "content-type": "application/json" } } };
}

function withHeaders(init: RequestInit, headers: Readonly<Record<string, string>>): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string> | undefined), ...headers } };
}

async function openApi() {
  const called: string[] = [];
  const handlers = Object.fromEntries(
    endpoints.map(([name, { answer }]) => [
      name,
      () => {
        called.push(name);
        return answer === "many" || answer === "events" ? (async function* () {})() : {};
      },
    ]),
  );
  return { ...(await openScene({ table: api, handlers })), called };
}

describe("every endpoint of the table", () => {
  test.each(endpoints.filter(([, { role }]) => role !== "open"))(
    "%s is 401 without credentials",
    async (name, endpoint) => {
      const hub = await openApi();
      const { path, init } = requestOf(endpoint);
      for (const headers of [{}, { authorization: "Bearer made-up" }, { cookie: "fed_session=made-up" }]) {
        const response = await hub.get(path, withHeaders(init, headers));
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(response.headers.get("content-type")).toContain("application/problem+json");
        expect(await response.json()).toMatchObject({ code: "unauthenticated", status: 401 });
      }
      expect(hub.called).toEqual([]);
      const [bearer, cookie] = hub.refusals;
      expect(hub.refusals).toHaveLength(2);
      const same = { endpoint: name, caller: { kind: "nobody" }, address: "127.0.0.1", correlation: hub.begun[1] };
      expect(bearer).toEqual({ ...same, reason: "the bearer shown is not known, or no longer good" });
      expect(cookie).toMatchObject({ reason: "the cookie shown is not known, or no longer good" });
    },
  );

  test.each(endpoints)("%s is 403 for a role too low, and for nobody else", async (name, endpoint) => {
    const hub = await openApi();
    const { path, init } = requestOf(endpoint);
    const bearers = [...roles, "local"] as const;
    for (const bearer of bearers) {
      const response = await hub.get(path, withHeaders(init, { authorization: `Bearer ${bearer}` }));
      await response.body?.cancel();
      if (mayDo(bearer, endpoint.role)) expect([401, 403], `${bearer} at ${name}`).not.toContain(response.status);
      else expect(response.status, `${bearer} at ${name}`).toBe(403);
    }
    const refused = bearers.filter((bearer) => !mayDo(bearer, endpoint.role));
    expect(hub.refusals.map(({ endpoint: at, caller }) => [at, caller.kind === "user" ? caller.role : ""])).toEqual(
      // What a machine reports is refused even to who may read the token file: nobody speaks for a machine.
      refused.map((bearer) => [name, bearer === "local" ? "" : bearer]),
    );
    for (const refusal of hub.refusals) expect(refusal).toMatchObject({ address: "127.0.0.1" });
  });

  test.each(endpoints.filter(([, { method }]) => method !== "GET"))(
    "%s does nothing for another site that uses somebody's browser",
    async (_name, endpoint) => {
      const hub = await openApi();
      hub.callers.set("cookie-admin", {
        ...{ kind: "user", userId: "usr_1", name: "ada", role: "admin" },
        session: { id: "ses_1", kind: "browser" },
      });
      const { path, init } = requestOf(endpoint);
      const cookie = { cookie: "fed_session=cookie-admin" };
      const right = { "x-csrf-token": "csrf-ses_1" };
      const tries: readonly Record<string, string>[] = [
        cookie,
        { ...cookie, "x-csrf-token": "wrong" },
        { ...cookie, "x-csrf-token": "" },
        { ...cookie, authorization: "Basic YTpi" },
        { ...cookie, ...right, origin: "http://evil.example" },
        { ...cookie, ...right, origin: "null" },
        { ...cookie, ...right, origin: "not an origin" },
        { ...cookie, ...right, origin: `http://127.0.0.1:${hub.port + 1}` },
      ];
      for (const headers of tries) {
        const response = await hub.get(path, withHeaders(init, headers));
        expect(response.status, JSON.stringify(headers)).toBe(403);
      }
      for (const site of ["cross-site", "same-site"]) {
        const raw = hub.connect();
        raw.send(
          `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${hub.port}\r\ncookie: ${cookie.cookie}\r\nx-csrf-token: csrf-ses_1\r\n` +
            `sec-fetch-site: ${site}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
        );
        expect(await raw.closed).toMatch(/^HTTP\/1\.1 403 /);
      }
      expect(hub.called).toEqual([]);
    },
  );
});

const json = { "content-type": "application/json" };

test("our own page gets through with its token", async () => {
  const hub = await openScene();
  const response = await hub.get("/api/v1/echo/x", {
    method: "POST",
    body: "{}",
    headers: { ...json, cookie: "fed_session=cookie-operator", "x-csrf-token": "csrf-ses_operator", origin: hub.url },
  });
  expect(response.status).toBe(200);
  expect(hub.refusals).toEqual([]);
});

test("a page that reads needs no token, and a program with a bearer neither", async () => {
  const hub = await openScene();
  expect((await hub.get("/text", { headers: { cookie: "fed_session=cookie-viewer" } })).status).toBe(200);
  const init = { method: "POST", body: "{}", headers: { ...json, authorization: "Bearer operator" } };
  expect((await hub.get("/api/v1/echo/x", init)).status).toBe(200);
});

function signInWith(secret: string): AnyHandler {
  return (_input, { cookie }) => {
    cookie.set(secret, 60);
    return {};
  };
}

test("another site cannot sign a browser in", async () => {
  const hub = await openScene({ handlers: { open: signInWith("abc") } });
  const sign = (origin?: string) =>
    hub.get("/api/v1/auth/session", {
      method: "POST",
      body: "{}",
      headers: { ...json, ...(origin ? { origin } : {}) },
    });
  const foreign = await sign("http://evil.example");
  expect(foreign.status).toBe(403);
  expect(foreign.headers.get("set-cookie")).toBeNull();
  expect((await sign(hub.url)).headers.get("set-cookie")).toBe(
    "fed_session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60",
  );
  // Behind a proxy with https the browser says so, and the cookie stays on https.
  expect((await sign(hub.url.replace("http:", "https:"))).headers.get("set-cookie")).toMatch(/; Secure$/);
  expect((await sign()).status).toBe(200);
});

test("a secret that could end the cookie's header is refused", async () => {
  for (const secret of ["a; Domain=evil", "a\r\nx: y", "", "a,b", "x".repeat(201)]) {
    const hub = await openScene({ handlers: { open: signInWith(secret) } });
    const response = await hub.get("/api/v1/auth/session", { method: "POST", body: "{}", headers: json });
    expect(response.status).toBe(500);
    expect(response.headers.get("set-cookie")).toBeNull();
  }
});

test.each<[header: string, cookies: readonly string[]]>([
  ["fed_session=abc", ["abc"]],
  ["a=b; fed_session=abc; c=d", ["abc"]],
  ["a=b;fed_session=abc", ["abc"]],
  ["fed_session=abc; fed_session=abd", ["abc", "abd"]],
  ["fed_session=abc; fed_session=abc", ["abc"]],
  ["fed_session=; fed_session=abd", ["abd"]],
  ["fed_session=a; fed_session=b; fed_session=c; fed_session=d; fed_session=e", []],
  ["fed_session=", []],
  ["xfed_session=abc", []],
  ["Fed_Session=abc", []],
  ['fed_session="abc"', []],
  ["fed_session=a b", []],
  ["fed_session=a%20b", []],
  [`fed_session=${"x".repeat(201)}`, []],
  ["fed_session", []],
  [";;;=;", []],
])("the cookie header %j shows the sessions %j", async (header, cookies) => {
  const hub = await openScene();
  await hub.get("/health", { headers: { cookie: header } });
  expect(hub.shown.map((one) => one.cookie)).toEqual(cookies);
});

test.each<[cookie: string, status: number]>([
  ["fed_session=slipped-in; fed_session=cookie-viewer", 200],
  ["fed_session=cookie-viewer; fed_session=slipped-in", 200],
  ["fed_session=cookie-operator; fed_session=cookie-viewer", 401],
])("who has a session is not locked out by another cookie, nor made somebody else: %s", async (cookie, status) => {
  const hub = await openScene();
  expect((await hub.get("/text", { headers: { cookie } })).status).toBe(status);
});

describe("on a disk that is full or fails", () => {
  const place = "/srv/fed/control.db";
  const full = new Fault("unreachable", `cannot begin a transaction in ${place}: the disk is full`, {
    ...{ hint: "Make room: df -h '/srv/fed'.", details: { diskFull: "/srv/fed" } },
  });
  const failed = new Fault("unreachable", `cannot use the database ${place}: the disk failed`, {
    cause: Object.assign(new Error("disk I/O error"), { errcode: 10 }),
  });
  const fails = (thrown: Fault): Parameters<typeof openScene>[0] => {
    const handler = () => {
      throw thrown;
    };
    return { handlers: { health: handler, open: handler, text: handler } };
  };
  const post = { method: "POST", body: "{}", headers: json };

  test.each([
    [full, "the hub's disk is full"],
    [failed, "the hub cannot use its data"],
  ])("strangers are not told where: %s", async (thrown, said) => {
    const hub = await openScene(fails(thrown));
    const cookie = { headers: { cookie: "fed_session=made-up" } };
    for (const response of [
      await hub.get("/health"),
      await hub.get("/health", cookie),
      await hub.get("/api/v1/auth/session", post),
    ]) {
      const text = await response.text();
      expect([response.status, JSON.parse(text)]).toMatchObject([503, { code: "unreachable", detail: said }]);
      expect(text).not.toContain("/srv");
    }
  });

  test("who is signed in is", async () => {
    for (const thrown of [full, failed]) {
      const hub = await openScene(fails(thrown));
      for (const bearer of ["viewer", "local"]) {
        const response = await hub.get("/text", { headers: { authorization: `Bearer ${bearer}` } });
        expect(await response.json()).toMatchObject({ status: 503, detail: thrown.message });
      }
    }
  });
});

test("with a bearer the cookie is not looked at", async () => {
  const hub = await openScene();
  await hub.get("/health", { headers: { cookie: "fed_session=abc", authorization: "bearer x.y-z" } });
  expect(hub.shown).toEqual([{ bearer: "x.y-z", address: "127.0.0.1" }]);
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["203.0.113.9, 192.0.2.7", "192.0.2.7"],
  ["192.0.2.7, 127.0.0.1", "192.0.2.7"],
  ["2001:db8::7", "2001:db8::7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["<script>", "127.0.0.1"],
  ["", "127.0.0.1"],
])("a proxy on this machine that asks for %s asks for %s", async (forwarded, address) => {
  const hub = await openScene();
  await hub.get("/text", { headers: { authorization: "Bearer x", "x-forwarded-for": forwarded } });
  expect(hub.shown).toEqual([{ bearer: "x", address }]);
});

test("nobody pays for asking who somebody without credentials is", async () => {
  const hub = await openScene();
  expect((await hub.get("/health")).status).toBe(200);
  expect((await hub.get("/text")).status).toBe(401);
  expect(hub.shown).toEqual([]);
});

test("a token as the password of any name, as Grafana and Prometheus send it", async () => {
  const hub = await openScene();
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  expect((await hub.get("/text", { headers: basic("anybody:fed_token") })).status).toBe(200);
  expect((await hub.get("/text", { headers: basic(":fed_token") })).status).toBe(200);
  expect(hub.shown).toMatchObject([{ bearer: "fed_token" }, { bearer: "fed_token" }]);
  for (const text of ["fed_token", "fed_token:", "a:fed_other", "a:fed token", "a:viewer", "a:b:fed_token"]) {
    expect((await hub.get("/text", { headers: basic(text) })).status).toBe(401);
  }
  const post = { method: "POST", body: "{}" };
  const headers = { ...basic("a:fed_token"), "content-type": "application/json" };
  expect((await hub.get("/api/v1/echo/x", { ...post, headers })).status).toBe(200);
  // A browser that has kept it sends it for any site's form.
  const foreign = { ...headers, origin: "https://evil.example" };
  expect((await hub.get("/api/v1/echo/x", { ...post, headers: foreign })).status).toBe(403);
});
