import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, Server } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import {
  ask,
  freePort,
  gate,
  makeStage,
  openRequest,
  type Stage,
  startInstance,
  startNamed,
  startRaw,
} from "#port/ingress.scene.ts";
import { ingressSuite } from "#port/ingress.suite.ts";
import type { GivenCertificate, RouteTarget } from "#port/ingress.ts";
import { type BuiltinIngress, openBuiltinIngress } from "./ingress.ts";
import { limit } from "./limit.ts";
import { listen } from "./listen.ts";

const open = (port = 0) => openBuiltinIngress({ host: "127.0.0.1", port, clock: systemClock, trace: silentTrace });

ingressSuite("builtin", async () => {
  let given: readonly GivenCertificate[] = [];
  const secured = { port: () => 0, certificates: async () => given };
  const place = { host: "127.0.0.1", port: 0, secure: secured };
  const ingress = await openBuiltinIngress({ ...place, clock: systemClock, trace: silentTrace });
  const secure = {
    address: () => ingress.secureAddress ?? ingress.address,
    give(certificates: readonly GivenCertificate[]) {
      given = certificates;
    },
  };
  return { ingress, address: ingress.address, secure, close: () => ingress.close({ deadlineMs: 0 }) };
});

const never = new AbortController().signal;
let stage: Stage;
let ingress: BuiltinIngress;

beforeEach(async () => {
  stage = makeStage();
  ingress = await open();
  stage.onEnd(() => ingress.close({ deadlineMs: 0 }));
});
afterEach(() => stage.end());

const route = (...targets: readonly RouteTarget[]) =>
  ingress.apply([{ match: { kind: "host", host: "api.localhost" }, service: "dev/api", targets }], never);

/** Sends these bytes and reads until the ingress closes. */
async function talk(bytes: string): Promise<string> {
  const socket = connect(ingress.address);
  socket.write(bytes);
  return text(socket);
}

describe("opening", () => {
  test("a port in use is a conflict that names the port and the way out", async () => {
    await expect(open(ingress.address.port)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(String(ingress.address.port)),
      hint: expect.stringContaining("--ingress-port"),
    });
  });

  test("a port the machine forbids is denied", async () => {
    const server = new Server();
    server.listen = () => {
      queueMicrotask(() => server.emit("error", Object.assign(new Error("no"), { code: "EACCES" })));
      return server;
    };
    const place = { host: "127.0.0.1", port: 80, what: "the ingress", hint: "choose another" };
    await expect(listen(server, place)).rejects.toMatchObject({
      code: "denied",
      message: expect.stringContaining("80"),
    });
  });
});

describe("closing", () => {
  test("what is in flight ends well, idle connections do not hold it up", async () => {
    const arrived = gate();
    const finish = gate();
    const slow = await startInstance(stage, "slow", async (incoming, response) => {
      if (incoming.url === "/quick") return void response.end("quick");
      response.write("first ");
      arrived.open();
      await finish.passed;
      response.end("last");
    });
    await route(slow);
    const agent = new Agent({ keepAlive: true });
    stage.onEnd(() => agent.destroy());
    await ask(ingress.address, "api.localhost", { agent, path: "/quick" });
    const busy = ask(ingress.address, "api.localhost", { agent });
    await arrived.passed;
    const closed = ingress.close({ deadlineMs: 60_000 });
    finish.open();
    expect((await busy).body).toBe("first last");
    await closed;
    await expect(ask(ingress.address, "api.localhost")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(route(slow)).rejects.toMatchObject({ code: "conflict" });
  });

  test("a connection that never asked anything is not waited for", async () => {
    const silent = connect(ingress.address);
    await once(silent, "connect");
    await ask(ingress.address, "api.localhost");
    await ingress.close({ deadlineMs: 600_000 });
    await once(
      silent.on("error", () => {}),
      "close",
    );
  });

  test("at the deadline the rest is cut off", async () => {
    const clock = handClock();
    const patient = await openBuiltinIngress({ host: "127.0.0.1", port: 0, clock, trace: silentTrace });
    const events = await startInstance(stage, "sse", (_, response) => void response.write("data: 1\n\n"));
    await patient.apply(
      [{ match: { kind: "host", host: "api.localhost" }, service: "dev/api", targets: [events] }],
      never,
    );
    const stream = await openRequest(patient.address, "api.localhost");
    const broken = expect(text(stream)).rejects.toThrow();
    const closed = patient.close({ deadlineMs: 5_000 });
    await clock.turn(5_000);
    await broken;
    await closed;
  });
});

describe("requests that try something", () => {
  test.each([
    ["two Host headers", "GET / HTTP/1.1\r\nHost: api.localhost\r\nHost: evil\r\nConnection: close\r\n\r\n", 400],
    [
      "a length and a transfer encoding",
      "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n1234",
      400,
    ],
    ["a bare line feed in a header", "GET / HTTP/1.1\r\nHost: api.localhost\nX: y\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["a target that is none", "OPTIONS * HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n", 400],
    [
      "a head without end",
      `GET / HTTP/1.1\r\nHost: api.localhost\r\nX: ${"x".repeat(limit.headerSizeBytes)}\r\n\r\n`,
      431,
    ],
  ])("%s", async (_, bytes, status) => {
    const reached: string[] = [];
    const api = await startInstance(stage, "api-1", (incoming, response) => {
      reached.push(incoming.url ?? "");
      response.end();
    });
    await route(api);
    expect(await talk(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(reached).toEqual([]);
  });

  test("h2c is not upgraded to: the request is answered as HTTP/1.1", async () => {
    await route(await startNamed(stage, "api-1"));
    const headers = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };
    expect(await ask(ingress.address, "api.localhost", { headers })).toMatchObject({ status: 200, body: "api-1" });
  });
});

describe("requests", () => {
  test("a target in absolute form goes to the host it names", async () => {
    const api = await startInstance(stage, "api-1", (incoming, response) => {
      response.end(`${incoming.headers.host} ${incoming.url}`);
    });
    await route(api);
    const answer = await talk("GET http://api.localhost/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n");
    expect(answer).toContain("api.localhost /a?b");
  });

  test("a service's cookies reach the client, but none that is the dashboard's session; by an upgrade neither", async () => {
    const cookies = { "Set-Cookie": ["a=1", "fed_session=x; Domain=hub.test"] };
    const api = await startInstance(stage, "api-1", (_, response) => void response.writeHead(200, cookies).end());
    api.server.on("upgrade", (_, socket) => {
      const head = "HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: x\r\n";
      socket.end(`${head}Set-Cookie: a=1\r\nSet-Cookie: fed_session=x\r\n\r\n`);
    });
    await route(api);
    const upgrade = "Connection: upgrade\r\nUpgrade: x\r\n";
    for (const [status, more] of [
      [200, "Connection: close\r\n"],
      [101, upgrade],
    ] as const) {
      const answer = await talk(`GET / HTTP/1.1\r\nHost: api.localhost\r\n${more}\r\n`);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain("Set-Cookie: a=1\r\n");
      expect(answer).not.toContain("fed_session");
    }
  });

  test("trailers of an answer reach the client", async () => {
    const api = await startInstance(stage, "api-1", (_, response) => {
      response.writeHead(200, { Trailer: "X-Sum" }).write("body");
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    });
    await route(api);
    const answer = await ask(ingress.address, "api.localhost", { headers: { TE: "trailers", Connection: "TE" } });
    expect(answer).toMatchObject({ body: "body", trailers: { "x-sum": "42" } });
  });

  test("a request that may not be repeated is not sent twice", async () => {
    let posts = 0;
    const moody = await startInstance(stage, "api-1", (incoming, response) => {
      if (incoming.method !== "POST") return void response.end();
      posts++;
      incoming.socket.destroy();
    });
    await route(moody);
    await ask(ingress.address, "api.localhost");
    expect((await ask(ingress.address, "api.localhost", { method: "POST" })).status).toBe(502);
    expect(posts).toBe(1);
  });

  test("a request waits for other routes when who answered before is not there any more, and not for ever", async () => {
    const old = await startInstance(stage, "api-1", (_, response) => void response.end("old"));
    const next = await startInstance(stage, "api-2", (_, response) => void response.end("new"));
    await route(old);
    expect((await ask(ingress.address, "api.localhost")).body).toBe("old");
    old.server.closeAllConnections();
    await new Promise((done) => old.server.close(done));
    const waits = ask(ingress.address, "api.localhost", { method: "POST" });
    const early = await Promise.race([waits, pause(100, "waits")]);
    expect(early).toBe("waits");
    await route(next);
    expect(await waits).toMatchObject({ status: 200, body: "new" });

    // What an engine's proxy does for a container that has ended.
    next.server.on("connection", (socket) => socket.destroy());
    next.server.closeAllConnections();
    const other = await startInstance(stage, "api-3", (_, response) => void response.end("other"));
    const lost = ask(ingress.address, "api.localhost");
    expect(await Promise.race([lost, pause(100, "waits")])).toBe("waits");
    expect((await ask(ingress.address, "api.localhost", { method: "POST" })).status).toBe(502);
    await route(other);
    expect(await lost).toMatchObject({ status: 200, body: "other" });

    await route(old);
    const began = performance.now();
    // Nobody has ever answered at this place as far as these routes know: that is told at once.
    expect((await ask(ingress.address, "api.localhost")).status).toBe(502);
    expect(performance.now() - began).toBeLessThan(limit.otherRoutesMs);
  });

  test("an answer before the upload's end is delivered, and the connection goes on", async () => {
    const strict = await startInstance(stage, "api-1", (incoming, response) => {
      if (incoming.method === "GET") return void response.end("next");
      response.writeHead(413).end("too much");
    });
    await route(strict);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    stage.onEnd(() => agent.destroy());
    const sizeBytes = 8 * 1024 * 1024;
    const headers = { host: "api.localhost", "content-length": sizeBytes };
    const outgoing = request({ ...ingress.address, method: "POST", headers, agent });
    outgoing.write(Buffer.alloc(1024));
    const [answer] = await once(outgoing, "response");
    expect(answer.statusCode).toBe(413);
    outgoing.end(Buffer.alloc(sizeBytes - 1024));
    expect(await text(answer)).toBe("too much");
    expect((await ask(ingress.address, "api.localhost", { agent })).body).toBe("next");
  });

  test("a reader that stands still stops the writer, both ways", async () => {
    let downBytes = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const api = await startInstance(stage, "api-1", (incoming, response) => {
      if (incoming.method === "POST") return;
      const write = () => {
        while (!response.destroyed) {
          downBytes += chunk.length;
          if (!response.write(chunk)) return;
        }
      };
      response.on("drain", write);
      write();
    });
    await route(api);
    const down = await openRequest(ingress.address, "api.localhost");
    const up = request({ ...ingress.address, method: "POST", headers: { host: "api.localhost" }, agent: false });
    stage.onEnd(() => {
      down.destroy();
      up.on("error", () => {}).destroy();
    });
    let upBytes = 0;
    const write = () => {
      do upBytes += chunk.length;
      while (up.write(chunk));
    };
    up.on("drain", write);
    write();
    // Bytes stop moving once every buffer on the way is full; the kernel's are a few MB each.
    for (let before = -1; before !== downBytes + upBytes; await pause(100)) before = downBytes + upBytes;
    expect(downBytes).toBeLessThan(64 * 1024 * 1024);
    expect(upBytes).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("switching", () => {
  test("idle connections to an instance that is no longer a target are closed, so that it can stop at once", async () => {
    const [old, next] = [await startNamed(stage, "old"), await startNamed(stage, "next")];
    const closed: Promise<unknown>[] = [];
    old.server.on("connection", (socket) => closed.push(once(socket, "close")));
    await route(old);
    await Promise.all(Array.from({ length: 5 }, () => ask(ingress.address, "api.localhost")));
    expect(closed).not.toHaveLength(0);
    await route(next);
    const tooLate = pause(limit.instanceIdleMs / 2, "too late");
    expect(await Promise.race([tooLate, Promise.all(closed)])).not.toBe("too late");
  });

  test("a door changes from http to raw bytes and back", async () => {
    const port = await freePort();
    const place = { host: "127.0.0.1", port };
    const web = await startNamed(stage, "web");
    const raw = await startRaw(stage, "raw", (socket) => socket.end("raw"));
    const door = (protocol: "http" | "tcp", target: RouteTarget) =>
      ingress.apply([{ match: { kind: "door", port, protocol }, service: "dev/door", targets: [target] }], never);
    await door("http", web);
    expect((await ask(place, "x")).body).toBe("web");
    await door("tcp", raw);
    expect(String(await buffer(connect(place)))).toBe("raw");
    await door("http", web);
    expect((await ask(place, "x")).body).toBe("web");
  });

  test("a page on this machine names what is served", async () => {
    await route();
    const answer = await ask(ingress.address, "ghost.localhost");
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining("api.localhost") });
  });

  test("switches asked for at once happen one after the other", async () => {
    const target = await startNamed(stage, "a");
    const outcomes = await Promise.all([route(), route(target), route(), route(target)]);
    expect(outcomes.map(({ generation }) => generation)).toEqual([1, 2, 3, 4]);
    expect((await ask(ingress.address, "api.localhost")).status).toBe(200);
  });
});
