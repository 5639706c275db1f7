import { describe, expect, test } from "vitest";
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
    async (_name, endpoint) => {
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
      expect(hub.refusals).toEqual([]);
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
      refused.map((role) => [name, role]),
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

test.each<[header: string, cookie: string | undefined]>([
  ["fed_session=abc", "abc"],
  ["a=b; fed_session=abc; c=d", "abc"],
  ["a=b;fed_session=abc", "abc"],
  ["fed_session=abc; fed_session=abd", undefined],
  ["fed_session=", undefined],
  ["xfed_session=abc", undefined],
  ["Fed_Session=abc", undefined],
  ['fed_session="abc"', undefined],
  ["fed_session=a b", undefined],
  ["fed_session=a%20b", undefined],
  [`fed_session=${"x".repeat(201)}`, undefined],
  ["fed_session", undefined],
  [";;;=;", undefined],
])("the cookie header %j holds the session %j", async (header, cookie) => {
  const hub = await openScene();
  await hub.get("/health", { headers: { cookie: header } });
  expect(hub.shown.map((one) => one.cookie)).toEqual(cookie === undefined ? [] : [cookie]);
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
