import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { ask, freePort, type Given, gate, host, openRequest, startInstance, startNamed } from "./ingress.scene.ts";
import type { RouteTarget } from "./ingress.ts";
import { unless } from "./ingress-shortcoming.scene.ts";

/** What an ingress does with one request. */
export function forwardTests(given: Given): void {
  describe("routes by host name", () => {
    test("to the service of that name, whatever its letter case, port and trailing dot", async () => {
      const [api, site] = await Promise.all([startNamed(given.stage, "api-1"), startNamed(given.stage, "site-1")]);
      await given.apply(host("api.localhost", api), host("Site.Localhost", site));
      for (const written of [
        "api.localhost",
        "API.localhost",
        "api.localhost:8080",
        "api.localhost.",
        "Api.Localhost.:80",
      ]) {
        expect(await ask(given.address, written)).toMatchObject({ status: 200, body: "api-1" });
      }
      expect(await ask(given.address, "site.localhost")).toMatchObject({ status: 200, body: "site-1" });
    });

    test("a name nobody has is a 404 page", async () => {
      await given.apply(host("api.localhost", await startNamed(given.stage, "api-1")));
      const answer = await ask(given.address, "ghost.localhost", { headers: { accept: "text/html" } });
      expect(answer.status).toBe(404);
    });

    test("a route without targets is a 503 that says when to come back", async () => {
      await given.apply(host("api.localhost"));
      const answer = await ask(given.address, "api.localhost");
      expect(answer.status).toBe(503);
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    });

    test("the instance sees the client's Host, path and query, and who asked", async () => {
      const seen = await startInstance(given.stage, "api-1", (incoming, response) => {
        response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
      });
      await given.apply(host("api.localhost", seen));
      const answer = await ask(given.address, "api.localhost:8080", {
        path: "/a%20b//c?x=1&y=%2F",
        headers: { Connection: "keep-alive, X-Hop", "X-Hop": "secret", "X-End": "kept" },
      });
      const { url, headers } = JSON.parse(answer.body);
      expect(url).toBe("/a%20b//c?x=1&y=%2F");
      expect(headers).toMatchObject({
        host: "api.localhost:8080",
        "x-end": "kept",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "api.localhost:8080",
      });
      expect(headers).not.toHaveProperty("x-hop");
    });

    test("the client sees the instance's status and every header", async () => {
      const instance = await startInstance(given.stage, "api-1", (_, response) => {
        response.writeHead(
          418,
          [
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
            ["X-Mine", "yes"],
          ].flat(),
        );
        response.end("short and stout");
      });
      await given.apply(host("api.localhost", instance));
      const answer = await ask(given.address, "api.localhost");
      expect(answer).toMatchObject({ status: 418, body: "short and stout", headers: { "x-mine": "yes" } });
      expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    });

    test("requests are spread over the targets", async () => {
      const targets = await Promise.all(["a", "b", "c"].map((id) => startNamed(given.stage, id)));
      await given.apply(host("api.localhost", ...targets));
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask(given.address, "api.localhost")));
      expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["a", "b", "c"]));
    });
  });

  describe("bodies", () => {
    test("HEAD has the headers and no body", async () => {
      const instance = await startInstance(given.stage, "api-1", (_, response) => {
        response.writeHead(200, { "Content-Length": "5" });
        response.end("hello");
      });
      await given.apply(host("api.localhost", instance));
      const answer = await ask(given.address, "api.localhost", { method: "HEAD" });
      expect(answer).toMatchObject({ status: 200, body: "", headers: { "content-length": "5" } });
    });

    unless(given, "duplex")("64 MB go up and come back at the same time, unchanged", async () => {
      const echo = await startInstance(given.stage, "api-1", (incoming, response) => void incoming.pipe(response));
      await given.apply(host("api.localhost", echo));
      const sent = createHash("sha256");
      const chunks = function* () {
        for (let i = 0; i < 1024; i++) {
          const chunk = Buffer.alloc(64 * 1024, i % 251);
          sent.update(chunk);
          yield chunk;
        }
      };
      const outgoing = request({ ...given.address, method: "POST", headers: { host: "api.localhost" }, agent: false });
      const answered = once(outgoing, "response");
      const upload = pipeline(Readable.from(chunks()), outgoing);
      const [answer] = await answered;
      const received = createHash("sha256");
      let sizeBytes = 0;
      for await (const chunk of answer) {
        received.update(chunk);
        sizeBytes += chunk.length;
      }
      await upload;
      expect(sizeBytes).toBe(64 * 1024 * 1024);
      expect(received.digest("hex")).toBe(sent.digest("hex"));
    });

    test("a client that waits for 100 Continue gets it and is served", async () => {
      const echo = await startInstance(given.stage, "api-1", (incoming, response) => void incoming.pipe(response));
      await given.apply(host("api.localhost", echo));
      const headers = { host: "api.localhost", expect: "100-continue", "content-length": "5" };
      const outgoing = request({ ...given.address, method: "PUT", headers, agent: false });
      outgoing.flushHeaders();
      await once(outgoing, "continue");
      outgoing.end("hello");
      const [answer] = await once(outgoing, "response");
      expect(await text(answer)).toBe("hello");
    });

    test("the first server-sent event arrives before the second is written", async () => {
      const second = gate();
      const events = await startInstance(given.stage, "api-1", async (_, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write("data: 1\n\n");
        await second.passed;
        response.end("data: 2\n\n");
      });
      await given.apply(host("api.localhost", events));
      const answer = await openRequest(given.address, "api.localhost");
      const [first] = await once(answer, "data");
      expect(String(first)).toBe("data: 1\n\n");
      second.open();
      expect(await text(answer)).toBe("data: 2\n\n");
    });

    test("an event stream is seen open before its first event", async () => {
      const first = gate();
      const events = await startInstance(given.stage, "api-1", async (_, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
        await first.passed;
        response.end("data: 1\n\n");
      });
      await given.apply(host("api.localhost", events));
      const answer = await openRequest(given.address, "api.localhost");
      expect(answer.statusCode).toBe(200);
      first.open();
      expect(await text(answer)).toBe("data: 1\n\n");
    });

    test("a client that leaves ends the instance's work", async () => {
      const left = gate();
      const events = await startInstance(given.stage, "api-1", (_, response) => {
        response.on("close", left.open).write("data: 1\n\n");
      });
      await given.apply(host("api.localhost", events));
      const answer = await openRequest(given.address, "api.localhost");
      await once(answer, "data");
      answer.destroy();
      await left.passed;
    });

    test("a client that leaves in the middle of its upload ends it at the instance", async () => {
      const begun = gate();
      const left = gate();
      const instance = await startInstance(given.stage, "api-1", (incoming, response) => {
        incoming.once("data", begun.open).on("error", () => {});
        response.on("close", left.open);
      });
      await given.apply(host("api.localhost", instance));
      const headers = { host: "api.localhost", "content-length": 1000 };
      const outgoing = request({ ...given.address, method: "POST", headers, agent: false });
      outgoing.on("error", () => {}).write("only this");
      await begun.passed;
      outgoing.destroy();
      await left.passed;
    });
  });

  describe("instances that fail", () => {
    const passedOver = async (asked: { readonly method: string; readonly body?: string }) => {
      const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
      await given.apply(host("api.localhost", dead, await startNamed(given.stage, "live")));
      for (let i = 0; i < 10; i++) {
        expect(await ask(given.address, "api.localhost", asked)).toMatchObject({ status: 200, body: "live" });
      }
    };

    test("one that refuses connections is passed over", () => passedOver({ method: "GET" }));

    unless(given, "second try with a body")("one that refuses connections is passed over with a body, too", () =>
      passedOver({ method: "POST", body: "x" }),
    );

    test("when all refuse, the answer is a 502", async () => {
      const ports = [await freePort(), await freePort()];
      const dead = ports.map((port): RouteTarget => ({ instance: `dead-${port}`, host: "127.0.0.1", port }));
      await given.apply(host("api.localhost", ...dead));
      expect((await ask(given.address, "api.localhost")).status).toBe(502);
    });

    test("a kept connection that the instance closed under us costs no request", async () => {
      const served = new WeakSet();
      const moody = await startInstance(given.stage, "api-1", (incoming, response) => {
        if (served.has(incoming.socket)) return void incoming.socket.destroy();
        served.add(incoming.socket);
        response.end("fine");
      });
      await given.apply(host("api.localhost", moody));
      for (let i = 0; i < 20; i++) expect((await ask(given.address, "api.localhost")).status).toBe(200);
    });

    const seenAsBroken = async (headers: Readonly<Record<string, string>>) => {
      const broken = await startInstance(given.stage, "api-1", (_, response) => {
        response.writeHead(200, headers).write("only this", () => response.destroy());
      });
      await given.apply(host("api.localhost", broken));
      const agent = new Agent({ keepAlive: true });
      given.stage.onEnd(() => agent.destroy());
      const answer = await openRequest(given.address, "api.localhost", { agent });
      await expect(text(answer)).rejects.toThrow();
    };

    test("a broken answer with a length reaches the client as broken", () =>
      seenAsBroken({ "Content-Length": "1000" }));

    unless(given, "broken chunks")("a broken answer in chunks reaches the client as broken", () => seenAsBroken({}));
  });
}
