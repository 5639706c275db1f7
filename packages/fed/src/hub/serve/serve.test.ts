import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { api } from "#wire/api.ts";
import { endpoint } from "#wire/endpoint.ts";
import type { CallContext } from "#wire/handler.ts";
import { openScene, request, table } from "./serve.scene.ts";
import { serve, serveTable } from "./serve.ts";

const asOperator = { authorization: "Bearer operator" };
const json = { "content-type": "application/json" };

describe("what comes in", () => {
  test("a body of more than 1 MiB is refused, announced or not", async () => {
    const hub = await openScene();
    const text = "x".repeat(1024 * 1024);
    const sized = await hub.get("/api/v1/echo/x", {
      ...{ method: "POST", headers: { ...json, ...asOperator }, body: JSON.stringify({ text }) },
    });
    expect(sized.status).toBe(413);
    expect(await sized.json()).toMatchObject({ code: "invalid", status: 413, detail: "the body is too large" });
    const raw = hub.connect();
    raw.send(request("POST /api/v1/echo/x", { ...json, ...asOperator, "transfer-encoding": "chunked" }));
    raw.send(`${(text.length + 1).toString(16)}\r\n"${text}\r\n`);
    expect(await raw.until("the body is too large")).toMatch(/^HTTP\/1\.1 413 /);
    const fits = {
      method: "POST",
      headers: { ...json, ...asOperator },
      body: JSON.stringify({ text: "x".repeat(1e6) }),
    };
    expect((await hub.get("/api/v1/echo/x", fits)).status).toBe(200);
  });

  test("who may not call is told before the body is read", async () => {
    const hub = await openScene();
    const raw = hub.connect();
    raw.send(request("POST /api/v1/echo/x", { ...json, "content-length": "1000000" }));
    expect(await raw.until("\r\n\r\n{")).toMatch(/^HTTP\/1\.1 401 /);
  });

  test.each<[type: string | undefined, body: string, status: number]>([
    ["application/json", '{"text":"a"}', 200],
    ["application/json; charset=utf-8", "{}", 200],
    [undefined, "", 200],
    ["text/plain", '{"text":"a"}', 415],
    ["application/x-www-form-urlencoded", "text=a", 415],
    ["multipart/form-data; boundary=x", "--x--", 415],
    ["application/jsonx", "{}", 415],
    ["text/plain; application/json", "{}", 415],
    ["application/json", "{", 400],
    ["application/json", "", 400],
    ["application/json", '{"__proto__":{"admin":true}}', 400],
    ["application/json", '["a"]', 422],
    ["application/json", '"a"', 422],
    ["application/json", "null", 200],
    ["application/json", '{"text":1}', 422],
  ])("a body of type %j that is %j: %i", async (type, body, status) => {
    const hub = await openScene();
    const raw = hub.connect();
    const headers = { ...asOperator, ...(type === undefined ? {} : { "content-type": type }), connection: "close" };
    raw.send(request("POST /api/v1/echo/x", { ...headers, "content-length": String(body.length) }, body));
    const answer = await raw.closed;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 200) expect(answer).toContain('"code":"invalid"');
  });

  test("what the path says cannot be said otherwise by the body or the query", async () => {
    const hub = await openScene();
    const init = { method: "POST", headers: { ...json, ...asOperator }, body: '{"name":"other","text":"t"}' };
    expect(await (await hub.get("/api/v1/echo/mine?name=third", init)).json()).toEqual({ name: "mine", text: "t" });
  });

  test.each(["%zz", "%", "%c0%ae", `${"x".repeat(501)}`])(
    "a part of the path that cannot be read: %s",
    async (part) => {
      const hub = await openScene();
      const raw = hub.connect();
      raw.send(request(`POST /api/v1/echo/${part}`, { ...json, ...asOperator, connection: "close" }, "{}"));
      const answer = await raw.closed;
      expect(answer).toMatch(/^HTTP\/1\.1 4(00|14|04) /);
      expect(answer).toContain("application/problem+json");
      expect(answer.toLowerCase()).toContain("x-content-type-options: nosniff");
    },
  );

  test("letters of the path are read once", async () => {
    const hub = await openScene();
    const echo = async (part: string) => {
      const init = { method: "POST", headers: { ...json, ...asOperator }, body: "{}" };
      return ((await (await hub.get(`/api/v1/echo/${part}`, init)).json()) as { name: string }).name;
    };
    expect(await echo("a%2Fb")).toBe("a/b");
    expect(await echo("%252e%252e%252f")).toBe("%2e%2e%2f");
    expect(await echo("%00%0d%0a")).toBe("\0\r\n");
  });

  test("too long a head is 431, garbage is 400, and neither says more", async () => {
    const hub = await openScene();
    const long = hub.connect();
    long.send(`GET /health HTTP/1.1\r\nhost: hub\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(await long.closed).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"invalid"/);
    const url = hub.connect();
    url.send(`GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: hub\r\n\r\n`);
    expect(await url.closed).toMatch(/^HTTP\/1\.1 431 /);
    for (const bytes of [
      "\0\0\0\r\n\r\n",
      "GET /health HTTP/1.1\r\nhost: a\r\n bad\r\n\r\n",
      "GET /health HTTP/1.1\r\n\r\n",
    ]) {
      const raw = hub.connect();
      raw.send(bytes);
      expect(await raw.closed).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  test("two lengths of one request, by which it could be smuggled, are refused", async () => {
    const hub = await openScene();
    for (const lengths of [
      "content-length: 2\r\ntransfer-encoding: chunked",
      "content-length: 2\r\ncontent-length: 3",
    ]) {
      const raw = hub.connect();
      raw.send(
        `POST /api/v1/auth/session HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n${lengths}\r\n\r\n{}`,
      );
      expect(await raw.closed).toMatch(/^HTTP\/1\.1 400 /);
    }
  });
});

describe("who takes their time", () => {
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200, keepAliveMs: 100 };

  test.each<[what: string, first: string, more: string]>([
    ["sends nothing", "", ""],
    ["stops within the head", "GET /health HTTP/1.1\r\nhost: hub\r\n", ""],
    ["sends a header now and then", "GET /health HTTP/1.1\r\nhost: hub\r\n", "x: y\r\n"],
    ["stops within the body", request("POST /api/v1/auth/session", { ...json, "content-length": "99" }), ""],
    [
      "sends a letter of the body now and then",
      request("POST /api/v1/auth/session", { ...json, "content-length": "99" }),
      "x",
    ],
  ])("one that %s is cut off", async (_what, first, more) => {
    const hub = await openScene({ limits });
    const raw = hub.connect();
    raw.send(first);
    const drip = setInterval(() => raw.socket.writable && more !== "" && raw.send(more), 20);
    const answer = await raw.closed.finally(() => clearInterval(drip));
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"invalid"/);
  });

  test("a connection that is not used is ended", async () => {
    const hub = await openScene({ limits });
    const raw = hub.connect();
    raw.send(request("GET /health"));
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("no more connections than the limit, and none is held for who asks nothing", async () => {
    const go = Promise.withResolvers<string>();
    const hub = await openScene({ limits: { connections: 3 }, handlers: { text: () => go.promise } });
    const [first, second, third] = [hub.connect(), hub.connect(), hub.connect()];
    for (const raw of [first, second, third]) {
      raw.send(request("GET /health"));
      await raw.until('{"status":"ok"}');
    }
    const fourth = hub.connect();
    await first.closed;
    for (const raw of [second, third, fourth]) raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    await expect.poll(() => hub.shown.length).toBe(3);
    expect(await hub.connect().closed).toBe("");
    go.resolve("fed_up 1");
    for (const raw of [second, third, fourth]) await raw.until("fed_up 1");
  });

  test("an answer that takes too long is a timeout, and the handler hears of it", async () => {
    const clock = handClock();
    let signal: AbortSignal | undefined;
    const begun = Promise.withResolvers<void>();
    const hub = await openScene({
      ...{ clock, limits: { answerMs: 5_000 } },
      handlers: {
        text: (_input, context) => {
          signal = context.signal;
          begun.resolve();
          return new Promise(() => {});
        },
      },
    });
    const response = hub.get("/text", { headers: { authorization: "Bearer viewer" } });
    await begun.promise;
    await clock.turn(5_000);
    expect((await response).status).toBe(504);
    expect(signal?.aborted).toBe(true);
  });

  test("a handler hears that its caller has gone", async () => {
    const gone = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const hub = await openScene({
      handlers: {
        text: (_input, { signal }: CallContext) => {
          signal.addEventListener("abort", () => gone.resolve());
          begun.resolve();
          return new Promise(() => {});
        },
      },
    });
    const raw = hub.connect();
    raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    await begun.promise;
    raw.socket.destroy();
    await gone.promise;
    await expect.poll(() => hub.facts).toMatchObject([{ endpoint: "text", method: "GET", status: 499 }]);
  });
});

describe("what goes out", () => {
  test("every answer says how it may be used, and carries an id of ours", async () => {
    const hub = await openScene();
    for (const [path, status] of [
      ["/health", 200],
      ["/text", 401],
      ["/nowhere", 404],
      ["/%zz", 400],
    ] as const) {
      const response = await hub.get(path, { headers: { "x-request-id": "theirs" } });
      expect(response.status).toBe(status);
      const headers = Object.fromEntries(response.headers);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "cache-control": "no-store",
        "permissions-policy": expect.stringContaining("camera=()"),
        "x-request-id": expect.stringMatching(/^cor_\d+$/),
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(headers.server).toBeUndefined();
    }
  });

  test("the handler gets the id of the answer, the caller and where they come from", async () => {
    let seen: CallContext | undefined;
    const hub = await openScene({
      handlers: {
        text: (_input, context) => {
          seen = context;
          return "";
        },
      },
    });
    const agent = `curl/8\u00e9${"x".repeat(300)}`;
    const response = await hub.get("/text", { headers: { authorization: "Bearer token", "user-agent": agent } });
    expect(seen).toMatchObject({
      correlation: response.headers.get("x-request-id"),
      actor: expect.stringMatching(/^token:ci\/tok_/),
      address: "127.0.0.1",
    });
    expect(seen?.agent).toBe(`curl/8?${"x".repeat(193)}`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("what fails inside is told in the diary under the id, not to the caller", async () => {
    const entries: TraceEntry[] = [];
    const hub = await openScene({
      trace: makeTrace(
        () => 0,
        "error",
        (entry) => entries.push(entry),
      ),
      handlers: {
        text: () => {
          throw new Error("secret /root/path");
        },
        health: () => {
          throw new Fault("internal", "secret row");
        },
      },
    });
    for (const path of ["/text", "/health"]) {
      const response = await hub.get(path, { headers: { authorization: "Bearer viewer" } });
      const text = await response.text();
      expect(response.status).toBe(500);
      expect(text).not.toContain("secret");
      expect(text).toContain(response.headers.get("x-request-id"));
    }
    expect(entries.map(({ facts }) => facts)).toMatchObject([
      { request: "cor_1", reason: "secret /root/path" },
      { request: "cor_2", reason: "secret row" },
    ]);
  });

  test("who breaks off is neither answered nor told of", async () => {
    const entries: TraceEntry[] = [];
    const broken = Promise.withResolvers<void>();
    const hub = await openScene({
      trace: makeTrace(
        () => 0,
        "info",
        (entry) => entries.push(entry),
      ),
      handlers: {
        // Fails because of it, and after it.
        text: (_input, { signal }: CallContext) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("aborted")));
            broken.resolve();
          }),
      },
    });
    for (let i = 0; i < 5; i++) {
      const raw = hub.connect();
      raw.send(request("POST /api/v1/auth/session", { ...json, "content-length": "100" }));
      raw.send("{");
      await expect.poll(() => hub.begun.length).toBe(i + 1);
      raw.socket.destroy();
    }
    const raw = hub.connect();
    raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    await broken.promise;
    raw.socket.destroy();
    await expect.poll(() => hub.facts.map(({ status }) => status)).toEqual(Array(6).fill(499));
    expect(entries).toEqual([]);
  });

  test("a framework's error with a status of its own does not get through either", async () => {
    const thrown = Object.assign(new Error("secret"), { statusCode: 418, headers: { "x-evil": "1" } });
    const hub = await openScene({
      handlers: {
        health: () => {
          throw thrown;
        },
      },
    });
    const response = await hub.get("/health");
    expect(response.status).toBe(500);
    expect(response.headers.get("x-evil")).toBeNull();
    expect(await response.text()).not.toContain("secret");
  });

  test("a fault keeps its code, hint and details; one that is about time says when to come again", async () => {
    const hub = await openScene({
      handlers: {
        health: () => {
          throw new Fault("limited", "too often", { hint: "Wait.", details: { retryAfterSeconds: 2.1 } });
        },
      },
    });
    const response = await hub.get("/health");
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(await response.json()).toMatchObject({ code: "limited", detail: "too often", hint: "Wait.", status: 429 });
  });

  test("nothing that a caller sends becomes a header", async () => {
    const hub = await openScene();
    const evil = "%0d%0aset-cookie:%20evil=1%0d%0a";
    const raw = hub.connect();
    const headers = {
      "x-request-id": "a",
      origin: "http://x",
      "user-agent": "a\tb",
      "accept-language": "x",
      connection: "close",
    };
    raw.send(request(`GET /nowhere/${evil}?q=${evil}`, headers));
    const head = (await raw.closed).split("\r\n\r\n", 1)[0] ?? "";
    expect(head).toMatch(/^HTTP\/1\.1 404 /);
    expect(head.toLowerCase()).not.toContain("evil");
  });

  test("HEAD asks whether the hub is well; a method that is not there is 404", async () => {
    const hub = await openScene();
    const head = await hub.get("/health", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await hub.get("/health", { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "missing" });
    }
    expect((await hub.get("/text", { method: "HEAD", headers: asOperator })).status).toBe(404);
  });

  test("each request is counted once, under a name from the table", async () => {
    const hub = await openScene();
    await hub.get("/health");
    await hub.get("/text");
    await hub.get("/no/such/page");
    await expect
      .poll(() => hub.facts)
      .toMatchObject([
        { endpoint: "health", method: "GET", status: 200 },
        { endpoint: "text", method: "GET", status: 401 },
        { endpoint: "page", method: "GET", status: 404 },
      ]);
  });

  test("how long a request took is told", async () => {
    const clock = handClock();
    const hub = await openScene({
      clock,
      handlers: {
        health: async () => {
          await clock.turn(1_234);
          return { status: "ok" };
        },
      },
    });
    await hub.get("/health");
    await expect.poll(() => hub.facts).toMatchObject([{ endpoint: "health", tookMs: 1_234 }]);
  });
});

describe("closing", () => {
  test("lets an answer under way finish, takes nothing new, and ends idle connections at once", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const hub = await openScene({
      handlers: {
        text: async (_input, { signal }) => {
          begun.resolve();
          await go.promise;
          return `aborted: ${signal.aborted}`;
        },
      },
    });
    const idle = hub.connect();
    idle.send(request("GET /health"));
    await idle.until('{"status":"ok"}');
    const busy = hub.connect();
    busy.send(request("GET /text", { authorization: "Bearer viewer" }));
    await begun.promise;
    const closed = hub.close();
    await idle.closed;
    expect(await hub.connect().closed).toBe("");
    go.resolve();
    expect(await busy.closed).toMatch(/^HTTP\/1\.1 200 [\s\S]*aborted: false$/);
    await closed;
  });

  test("sends the whole of a large answer that is written already", async () => {
    const text = "x".repeat(20_000_000);
    const hub = await openScene({ handlers: { text: () => text } });
    const raw = hub.connect();
    raw.socket.pause();
    raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    await expect.poll(() => hub.shown.length).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    const closed = hub.close();
    raw.socket.resume();
    expect((await raw.closed).length).toBeGreaterThan(text.length);
    await closed;
  });

  test("a second request on a connection that is still busy is not served", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<string>();
    const hub = await openScene({
      handlers: {
        text: () => {
          begun.resolve();
          return go.promise;
        },
      },
    });
    const raw = hub.connect();
    raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    await begun.promise;
    const closed = hub.close();
    raw.send(request("GET /health"));
    go.resolve("done");
    const all = await raw.closed;
    expect(all).toMatch(/^HTTP\/1\.1 200 [\s\S]*done/);
    expect(all.split("HTTP/1.1 200")).toHaveLength(2);
    await closed;
  });

  test("breaks off after some seconds what does not finish", async () => {
    const clock = handClock();
    const begun = Promise.withResolvers<AbortSignal>();
    const hub = await openScene({
      ...{ clock, limits: { closeMs: 4_000 } },
      handlers: {
        text: (_input, { signal }) => {
          begun.resolve(signal);
          return new Promise(() => {});
        },
      },
    });
    const raw = hub.connect();
    raw.send(request("GET /text", { authorization: "Bearer viewer" }));
    const signal = await begun.promise;
    const closed = hub.close();
    await clock.turn(3_999);
    expect(signal.aborted).toBe(false);
    await clock.turn(1);
    expect(signal.aborted).toBe(true);
    await closed;
    expect(await raw.closed).toBe("");
  });

  test("twice is once", async () => {
    const hub = await openScene();
    await Promise.all([hub.close(), hub.close()]);
    await expect(hub.get("/health")).rejects.toThrow();
  });
});

describe("listening", () => {
  const options = {
    ...{
      clock: handClock(),
      trace: makeTrace(
        () => 0,
        "error",
        () => {},
      ),
      pages: undefined,
    },
    ...{ makeCorrelation: () => "", identify: async () => ({ kind: "nobody" }) as const },
    ...{ checkCsrf: () => false, refused: () => {}, recall: () => ({ kind: "nobody" }) as const },
  };

  test("a port in use and an address that is not ours are said so", async () => {
    const hub = await openScene();
    const handlers = Object.fromEntries(Object.keys(table).map((name) => [name, () => ({})]));
    const at = (host: string, port: number) => serveTable(table, handlers, { ...options, host, port });
    await expect(at("127.0.0.1", hub.port)).rejects.toMatchObject({
      code: "conflict",
      hint: expect.stringContaining("--port"),
    });
    await expect(at("192.0.2.1", 0)).rejects.toMatchObject({ code: "invalid" });
  });

  test("an endpoint without a handler does not start", async () => {
    const lone = endpoint({
      ...{ method: "GET", path: "/lone", role: "open", answer: "one", summary: "" },
      ...{ input: z.object({}), output: z.object({}) },
    });
    await expect(serveTable({ lone }, {}, { ...options, host: "127.0.0.1", port: 0 })).rejects.toThrow("lone");
    await expect(serve(api, {} as never, { ...options, host: "127.0.0.1", port: 0 })).rejects.toThrow("health");
  });
});
