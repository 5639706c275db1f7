import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ask,
  echoWebSocket,
  freePort,
  gate,
  makeStage,
  openRequest,
  type Place,
  portOf,
  type Stage,
  startInstance,
  startNamed,
  startRaw,
  stop,
} from "./ingress.scene.ts";
import type { Ingress, IngressRoute, RouteTarget } from "./ingress.ts";

/** An ingress to test: open, without routes. */
export interface IngressUnderTest {
  readonly ingress: Ingress;
  /** Where its own port listens, on loopback. */
  readonly address: Place;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** The contract of the port `ingress`, over real sockets. `make` is called for each test. */
export function ingressSuite(name: string, make: () => Promise<IngressUnderTest>): void {
  describe(`ingress ${name}`, () => {
    let stage: Stage;
    let ingress: Ingress;
    let address: Place;

    beforeEach(async () => {
      stage = makeStage();
      const made = await make();
      stage.onEnd(() => made.close());
      ({ ingress, address } = made);
    });
    afterEach(() => stage.end());

    const host = (hostName: string, ...targets: readonly RouteTarget[]): IngressRoute => ({
      match: { kind: "host", host: hostName },
      service: `dev/${hostName.split(".")[0]}`,
      targets,
    });
    const door = (port: number, protocol: "http" | "tcp", ...targets: readonly RouteTarget[]): IngressRoute => ({
      match: { kind: "door", port, protocol },
      service: `dev/door${port}`,
      targets,
    });
    const apply = (...routes: readonly IngressRoute[]) => ingress.apply(routes, never);

    describe("routes by host name", () => {
      test("to the service of that name, whatever its letter case, port and trailing dot", async () => {
        const [api, site] = await Promise.all([startNamed(stage, "api-1"), startNamed(stage, "site-1")]);
        await apply(host("api.localhost", api), host("Site.Localhost", site));
        for (const written of [
          "api.localhost",
          "API.localhost",
          "api.localhost:8080",
          "api.localhost.",
          "Api.Localhost.:80",
        ]) {
          expect(await ask(address, written)).toMatchObject({ status: 200, body: "api-1" });
        }
        expect(await ask(address, "site.localhost")).toMatchObject({ status: 200, body: "site-1" });
      });

      test("a name nobody has is a 404 page", async () => {
        await apply(host("api.localhost", await startNamed(stage, "api-1")));
        const answer = await ask(address, "ghost.localhost", { headers: { accept: "text/html" } });
        expect(answer.status).toBe(404);
      });

      test("a route without targets is a 503 that says when to come back", async () => {
        await apply(host("api.localhost"));
        const answer = await ask(address, "api.localhost");
        expect(answer.status).toBe(503);
        expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      });

      test("the instance sees the client's Host, path and query, and who asked", async () => {
        const seen = await startInstance(stage, "api-1", (incoming, response) => {
          response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
        });
        await apply(host("api.localhost", seen));
        const answer = await ask(address, "api.localhost:8080", {
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
        const instance = await startInstance(stage, "api-1", (_, response) => {
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
        await apply(host("api.localhost", instance));
        const answer = await ask(address, "api.localhost");
        expect(answer).toMatchObject({ status: 418, body: "short and stout", headers: { "x-mine": "yes" } });
        expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
      });

      test("requests are spread over the targets", async () => {
        const targets = await Promise.all(["a", "b", "c"].map((id) => startNamed(stage, id)));
        await apply(host("api.localhost", ...targets));
        const answers = await Promise.all(Array.from({ length: 30 }, () => ask(address, "api.localhost")));
        expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["a", "b", "c"]));
      });
    });

    describe("bodies", () => {
      test("HEAD has the headers and no body", async () => {
        const instance = await startInstance(stage, "api-1", (_, response) => {
          response.writeHead(200, { "Content-Length": "5" });
          response.end("hello");
        });
        await apply(host("api.localhost", instance));
        const answer = await ask(address, "api.localhost", { method: "HEAD" });
        expect(answer).toMatchObject({ status: 200, body: "", headers: { "content-length": "5" } });
      });

      test("64 MB go up and come back at the same time, unchanged", async () => {
        const echo = await startInstance(stage, "api-1", (incoming, response) => void incoming.pipe(response));
        await apply(host("api.localhost", echo));
        const sent = createHash("sha256");
        const chunks = function* () {
          for (let i = 0; i < 1024; i++) {
            const chunk = Buffer.alloc(64 * 1024, i % 251);
            sent.update(chunk);
            yield chunk;
          }
        };
        const outgoing = request({ ...address, method: "POST", headers: { host: "api.localhost" }, agent: false });
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
        const echo = await startInstance(stage, "api-1", (incoming, response) => void incoming.pipe(response));
        await apply(host("api.localhost", echo));
        const headers = { host: "api.localhost", expect: "100-continue", "content-length": "5" };
        const outgoing = request({ ...address, method: "PUT", headers, agent: false });
        outgoing.flushHeaders();
        await once(outgoing, "continue");
        outgoing.end("hello");
        const [answer] = await once(outgoing, "response");
        expect(await text(answer)).toBe("hello");
      });

      test("the first server-sent event arrives before the second is written", async () => {
        const second = gate();
        const events = await startInstance(stage, "api-1", async (_, response) => {
          response.writeHead(200, { "Content-Type": "text/event-stream" });
          response.write("data: 1\n\n");
          await second.passed;
          response.end("data: 2\n\n");
        });
        await apply(host("api.localhost", events));
        const answer = await openRequest(address, "api.localhost");
        const [first] = await once(answer, "data");
        expect(String(first)).toBe("data: 1\n\n");
        second.open();
        expect(await text(answer)).toBe("data: 2\n\n");
      });

      test("an event stream is seen open before its first event", async () => {
        const first = gate();
        const events = await startInstance(stage, "api-1", async (_, response) => {
          response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
          await first.passed;
          response.end("data: 1\n\n");
        });
        await apply(host("api.localhost", events));
        const answer = await openRequest(address, "api.localhost");
        expect(answer.statusCode).toBe(200);
        first.open();
        expect(await text(answer)).toBe("data: 1\n\n");
      });

      test("a client that leaves ends the instance's work", async () => {
        const left = gate();
        const events = await startInstance(stage, "api-1", (_, response) => {
          response.on("close", left.open).write("data: 1\n\n");
        });
        await apply(host("api.localhost", events));
        const answer = await openRequest(address, "api.localhost");
        await once(answer, "data");
        answer.destroy();
        await left.passed;
        expect((await ingress.drain("unknown", 0, never)).kind).toBe("drained");
      });
    });

    describe("instances that fail", () => {
      test("one that refuses connections is passed over", async () => {
        const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
        await apply(host("api.localhost", dead, await startNamed(stage, "live")));
        for (let i = 0; i < 10; i++) {
          const asked = i % 2 ? {} : { method: "POST", body: "x" };
          expect(await ask(address, "api.localhost", asked)).toMatchObject({ status: 200, body: "live" });
        }
      });

      test("when all refuse, the answer is a 502", async () => {
        const ports = [await freePort(), await freePort()];
        const dead = ports.map((port): RouteTarget => ({ instance: `dead-${port}`, host: "127.0.0.1", port }));
        await apply(host("api.localhost", ...dead));
        expect((await ask(address, "api.localhost")).status).toBe(502);
      });

      test("a kept connection that the instance closed under us costs no request", async () => {
        const served = new WeakSet();
        const moody = await startInstance(stage, "api-1", (incoming, response) => {
          if (served.has(incoming.socket)) return void incoming.socket.destroy();
          served.add(incoming.socket);
          response.end("fine");
        });
        await apply(host("api.localhost", moody));
        for (let i = 0; i < 20; i++) expect((await ask(address, "api.localhost")).status).toBe(200);
      });

      test.each([
        ["with a length", { "Content-Length": "1000" }],
        ["in chunks", {}],
      ])("a broken answer reaches the client as broken: %s", async (_, headers) => {
        const broken = await startInstance(stage, "api-1", (_, response) => {
          response.writeHead(200, headers).write("only this", () => response.destroy());
        });
        await apply(host("api.localhost", broken));
        const agent = new Agent({ keepAlive: true });
        stage.onEnd(() => agent.destroy());
        const answer = await openRequest(address, "api.localhost", { agent });
        await expect(text(answer)).rejects.toThrow();
      });
    });

    describe("switch and drain", () => {
      test("under load no request fails, and none that starts after the switch reaches the old instance", async () => {
        const clients = 16;
        const switches = 20;
        let current = await startNamed(stage, "0");
        await apply(host("api.localhost", current));
        let newest = 0;
        let running = true;
        let requests = 0;
        const wrong: string[] = [];
        const load = Array.from({ length: clients }, async (_, client) => {
          const agent = new Agent({ keepAlive: true, maxSockets: 1 });
          stage.onEnd(() => agent.destroy());
          while (running) {
            const atLeast = newest;
            const asked = client % 4 ? { agent } : { agent, method: "POST", body: "x".repeat(1000) };
            const answer = await ask(address, "api.localhost", asked).catch((error) => ({
              status: 0,
              body: String(error),
            }));
            requests++;
            if (answer.status !== 200 || Number(answer.body) < atLeast) wrong.push(`${answer.status} ${answer.body}`);
          }
        });
        for (let i = 1; i <= switches; i++) {
          const old = current;
          current = await startNamed(stage, String(i));
          await apply(host("api.localhost", current));
          newest = i;
          expect(await ingress.drain(old.instance, 10_000, never)).toEqual({ kind: "drained" });
          await stop(old.server);
          const before = requests;
          while (requests < before + 20) await nextTurn();
        }
        running = false;
        await Promise.all(load);
        expect(wrong).toEqual([]);
        expect(requests).toBeGreaterThanOrEqual(switches * 20);
      });

      test("generations count the switches, and the status tells the routes", async () => {
        const route = host("api.localhost", { instance: "a", host: "127.0.0.1", port: 1 });
        const before = (await ingress.status(never)).generation;
        const { generation } = await apply(route);
        expect(generation).toBe(before + 1);
        expect(await ingress.status(never)).toEqual({ generation, routes: [route], inFlight: {} });
        expect((await apply()).generation).toBe(before + 2);
        expect((await ask(address, "api.localhost")).status).toBe(404);
      });

      test("what is in flight is counted, and drain waits for it", async () => {
        const arrived = gate();
        const finish = gate();
        const slow = await startInstance(stage, "slow", async (_, response) => {
          arrived.open();
          await finish.passed;
          response.end("done");
        });
        await apply(host("api.localhost", slow));
        const answer = ask(address, "api.localhost");
        await arrived.passed;
        expect((await ingress.status(never)).inFlight).toEqual({ slow: 1 });
        await apply(host("api.localhost", await startNamed(stage, "new")));
        let drained = false;
        const drain = ingress.drain("slow", 60_000, never).then((outcome) => {
          drained = true;
          return outcome;
        });
        expect(await ask(address, "api.localhost")).toMatchObject({ body: "new" });
        expect(drained).toBe(false);
        finish.open();
        expect(await drain).toEqual({ kind: "drained" });
        expect(await answer).toMatchObject({ status: 200, body: "done" });
      });

      test("at the deadline drain says how much is left, and cuts it off", async () => {
        const events = await startInstance(stage, "old", (_, response) => void response.write("data: 1\n\n"));
        await apply(host("api.localhost", events));
        const streams = await Promise.all([
          openRequest(address, "api.localhost"),
          openRequest(address, "api.localhost"),
        ]);
        await apply();
        const ended = streams.map((stream) => expect(text(stream)).rejects.toThrow());
        expect(await ingress.drain("old", 20, never)).toEqual({ kind: "deadline", inFlight: 2 });
        await Promise.all(ended);
      });

      test("drain refuses an instance that is still a target, and stops waiting when told", async () => {
        const events = await startInstance(stage, "a", (_, response) => void response.write("data: 1\n\n"));
        await apply(host("api.localhost", events));
        await expect(ingress.drain("a", 1000, never)).rejects.toMatchObject({ code: "conflict" });
        const stream = await openRequest(address, "api.localhost");
        await apply();
        const controller = new AbortController();
        const drain = ingress.drain("a", 60_000, controller.signal);
        controller.abort(new Error("told to stop"));
        await expect(drain).rejects.toThrow("told to stop");
        stream.destroy();
      });

      test("two routes of one name are a conflict, and nothing changes", async () => {
        const a = await startNamed(stage, "a");
        await apply(host("api.localhost", a));
        const twice = [host("new.localhost", a), host("api.localhost", a), host("API.localhost", a)];
        await expect(apply(...twice)).rejects.toMatchObject({ code: "conflict" });
        expect((await ask(address, "api.localhost")).body).toBe("a");
        expect((await ask(address, "new.localhost")).status).toBe(404);
      });
    });

    describe("doors", () => {
      test("an http door serves whatever the Host, and goes when it is no longer named", async () => {
        const port = await freePort();
        const [old, next] = [await startNamed(stage, "old"), await startNamed(stage, "next")];
        const place = { host: "127.0.0.1", port };
        await apply(door(port, "http", old));
        expect((await ask(place, "api")).body).toBe("old");
        await apply(door(port, "http", next));
        expect((await ask(place, `127.0.0.1:${port}`)).body).toBe("next");
        await apply();
        await expect(ask(place, "api")).rejects.toMatchObject({ code: "ECONNREFUSED" });
      });

      test("a tcp door passes bytes both ways, and each end by itself", async (context) => {
        if (!ingress.features.tcpDoors) context.skip();
        const port = await freePort();
        const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
        const shout = await startRaw(stage, "raw", (socket) => {
          let heard = "";
          socket.on("data", (chunk) => {
            heard += chunk;
          });
          // Answers only after the client has ended its side.
          socket.on("end", () => socket.end(heard.toUpperCase()));
        });
        await apply(door(port, "tcp", dead, shout));
        const client = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
        client.end("hello");
        expect(await text(client)).toBe("HELLO");
      });

      test("a raw connection is in flight; drain cuts it off at the deadline", async (context) => {
        if (!ingress.features.tcpDoors) context.skip();
        const port = await freePort();
        const echo = await startRaw(stage, "raw", (socket) => void socket.pipe(socket));
        await apply(door(port, "tcp", echo));
        const client = connect({ host: "127.0.0.1", port });
        stage.onEnd(() => client.destroy());
        client.on("error", () => {}).write("hello");
        expect(String((await once(client, "data"))[0])).toBe("hello");
        expect((await ingress.status(never)).inFlight).toEqual({ raw: 1 });
        await apply();
        const closed = once(client, "close");
        expect(await ingress.drain("raw", 20, never)).toEqual({ kind: "deadline", inFlight: 1 });
        await closed;
      });

      test("a taken port is a conflict, and nothing changes", async () => {
        const taken = createServer().listen(0, "127.0.0.1");
        await once(taken, "listening");
        stage.onEnd(() => taken.close());
        const free = await freePort();
        const a = await startNamed(stage, "a");
        const { generation } = await apply(host("api.localhost", a));
        const wanted = [host("new.localhost", a), door(free, "http", a), door(portOf(taken), "http", a)];
        await expect(apply(...wanted)).rejects.toMatchObject({
          code: "conflict",
          message: expect.stringContaining(String(portOf(taken))),
        });
        expect((await ingress.status(never)).generation).toBe(generation);
        expect((await ask(address, "api.localhost")).body).toBe("a");
        expect((await ask(address, "new.localhost")).status).toBe(404);
        await expect(ask({ host: "127.0.0.1", port: free }, "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
      });
    });

    describe("upgrades", () => {
      const openWebSocket = async () => {
        const client = new WebSocket(`ws://${address.host}:${address.port}/socket`);
        stage.onEnd(() => client.close());
        await new Promise((resolve, reject) => {
          client.onopen = resolve;
          client.onerror = reject;
        });
        const say = (words: string) =>
          new Promise((resolve) => {
            client.onmessage = ({ data }) => resolve(data);
            client.send(words);
          });
        return { client, say };
      };

      test("a WebSocket speaks through, over a switch too, and is cut off by its drain", async (context) => {
        if (!ingress.features.webSocket) context.skip();
        const instance = await startNamed(stage, "ws");
        echoWebSocket(instance.server);
        await apply(host(address.host, instance));
        const { client, say } = await openWebSocket();
        expect(await say("hello")).toBe("hello");
        expect((await ingress.status(never)).inFlight).toEqual({ ws: 1 });
        await apply();
        expect(await say("still here")).toBe("still here");
        const closed = new Promise((resolve) => {
          client.onclose = resolve;
        });
        expect(await ingress.drain("ws", 20, never)).toEqual({ kind: "deadline", inFlight: 1 });
        await closed;
      });

      test("an instance that refuses connections is passed over for upgrades too", async (context) => {
        if (!ingress.features.webSocket) context.skip();
        const instance = await startNamed(stage, "ws");
        echoWebSocket(instance.server);
        const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
        await apply(host(address.host, dead, instance));
        for (const words of ["one", "two"]) expect(await (await openWebSocket()).say(words)).toBe(words);
      });

      test("an instance that does not upgrade is heard", async () => {
        const strict = await startInstance(stage, "api-1", (_, response) => response.end());
        strict.server.on("upgrade", (_, socket) => {
          socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\nConnection: close\r\n\r\nno way\n");
        });
        await apply(host("api.localhost", strict), host("empty.localhost"));
        const headers = { Connection: "Upgrade", Upgrade: "websocket" };
        expect(await ask(address, "api.localhost", { headers })).toMatchObject({ status: 401, body: "no way\n" });
        expect((await ask(address, "empty.localhost", { headers })).status).toBe(503);
        expect((await ask(address, "ghost.localhost", { headers })).status).toBe(404);
      });
    });
  });
}
