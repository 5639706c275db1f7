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
