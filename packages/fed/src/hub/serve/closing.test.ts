import { describe, expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { openScene, request } from "./serve.scene.ts";

const _asOperator = { authorization: "Bearer operator" };
const _json = { "content-type": "application/json" };

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
