import { describe, expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import type { CallContext } from "#wire/handler.ts";
import { openScene, request } from "./serve.scene.ts";

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
