/** The contract of port `exporter`, asked of an adapter against real little servers. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "#base/clock.ts";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import type { ExporterDoor, ScrapeOutcome, ScrapeRequest } from "./exporter.ts";

const going = () => new AbortController().signal;
const failed = (reason: string | RegExp) => ({
  ...{ kind: "failed", reason: typeof reason === "string" ? reason : expect.stringMatching(reason) },
});
const text = "up 1\n";

interface Scene {
  readonly clock: HandClock;
  readonly door: ExporterDoor;
}

export function exporterSuite(name: string, make: (clock: Clock) => ExporterDoor): void {
  const scene = (): Scene => {
    const clock = handClock();
    const door = make(clock);
    onTestFinished(() => door.close());
    return { clock, door };
  };
  describe(`exporter ${name}`, () => {
    describe("an answer", () => answerContract(scene));
    describe("no answer", () => failureContract(scene));
    describe("its limits", () => limitContract(scene));
    describe("its connections", () => connectionContract(scene));
  });
}

const requestOf = (url: string, changes: Partial<ScrapeRequest> = {}): ScrapeRequest => ({
  ...{ url, timeoutMs: 5_000, bytes: 1_000_000 },
  ...changes,
});

const textOf = (outcome: ScrapeOutcome) =>
  outcome.kind === "answered" ? new TextDecoder().decode(outcome.bytes) : outcome.reason;

function answerContract(scene: () => Scene): void {
  it("comes with its format, as it is told", async () => {
    const { door, clock } = scene();
    const types = {
      "text/plain; version=0.0.4; charset=utf-8": "text",
      "Text/Plain": "text",
      "": "text",
      "application/openmetrics-text; version=1.0.0": "openmetrics",
    };
    for (const [type, format] of Object.entries(types)) {
      const server = await serveHttp((_, response) => {
        response.writeHead(200, type === "" ? {} : { "content-type": type }).end(text);
      });
      const outcome = await door.fetch(requestOf(server.url), going());
      expect(outcome).toMatchObject({ kind: "answered", format });
      expect(textOf(outcome)).toBe(text);
    }
    expect(clock.waiting).toBe(0);
  });

  it("is unpacked, also when it comes in many pieces", async () => {
    const { door } = scene();
    const long = `${"metric_name 12345\n".repeat(5_000)}`;
    const server = await serveHttp(async (_, response) => {
      const packed = gzipSync(long);
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" });
      for (let at = 0; at < packed.length; at += 50) response.write(packed.subarray(at, at + 50));
      response.end();
    });
    expect(textOf(await door.fetch(requestOf(server.url), going()))).toBe(long);
  });

  it("is asked for as Prometheus asks, by GET, with its query as it is", async () => {
    const { door } = scene();
    let asked: unknown;
    const server = await serveHttp(({ method, url, headers }, response) => {
      asked = { method, url, headers };
      response.end(text);
    });
    await door.fetch(requestOf(`${server.url}probe?target=a%20b&x=1`, { timeoutMs: 2_500 }), going());
    expect(asked).toMatchObject({
      ...{ method: "GET", url: "/probe?target=a%20b&x=1" },
      headers: {
        accept: expect.stringMatching(/^application\/openmetrics-text;version=1\.0\.0.*text\/plain;version=0\.0\.4/),
        ...{ "accept-encoding": "gzip", "x-prometheus-scrape-timeout-seconds": "2.5" },
      },
    });
    expect(asked).not.toHaveProperty("headers.authorization");
    await door.fetch(requestOf(server.url, { authorization: "Bearer abc" }), going());
    expect(asked).toHaveProperty("headers.authorization", "Bearer abc");
  });
}

function failureContract(scene: () => Scene): void {
  const answers: readonly [name: string, answer: RequestListener, reason: string | RegExp][] = [
    ["another status", (_, response) => response.writeHead(404).end(text), "status 404"],
    ["no content", (_, response) => response.writeHead(204).end(), "status 204"],
    [
      "a redirect",
      (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      "status 302: it sends us to http://127.0.0.1:1/, and no redirect is followed",
    ],
    [
      "a page",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "it answers with text/html, which is no text of metrics",
    ],
    [
      "an encoding that nobody asked for",
      (_, response) => response.writeHead(200, { "content-encoding": "br" }).end("x"),
      /^it answers in the encoding br/,
    ],
    [
      "a gzip that is none",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("none"),
      "what it sends is no sound gzip",
    ],
    [
      "half a gzip",
      (_, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(5_000)).subarray(0, 20)),
      "what it sends is no sound gzip",
    ],
    [
      "half a body",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
      },
      "it broke off",
    ],
    [
      "words that steer a terminal",
      (_, response) => response.writeHead(301, { location: `/\u009b2J${"x".repeat(5_000)}` }).end(),
      /^status 301: it sends us to \/ 2Jx{196}…, and/,
    ],
  ];
  it.each(answers)("%s", async (_, answer, reason) => {
    const { door, clock } = scene();
    const server = await serveHttp(answer);
    expect(await door.fetch(requestOf(server.url), going())).toEqual(failed(reason));
    expect(clock.waiting).toBe(0);
  });

  it.each([
    ["garbage", "\0\x01\x02 SSH-2.0-OpenSSH_9.9\r\n\r\n", "its answer is not HTTP"],
    ["a head without end", `HTTP/1.1 200 OK\r\n${"x-a: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(10_000)}`, /too long/],
    ["nothing", "", "it broke off"],
    [
      "another protocol",
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      "it speaks another protocol",
    ],
  ])("%s", async (_, words, reason) => {
    const { door } = scene();
    const server = await serveTcp((socket) => socket.once("data", () => socket.end(words)));
    expect(await door.fetch(requestOf(server.url), going())).toEqual(failed(reason));
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it("where nobody listens and where nobody is", async () => {
    const { door } = scene();
    const server = await serveTcp(() => {});
    await server.stop();
    expect(await door.fetch(requestOf(server.url), going())).toEqual(failed("connection refused"));
    expect(await door.fetch(requestOf("http://no-such-host.invalid/"), going())).toEqual(
      failed("host name not found: no-such-host.invalid"),
    );
  });

  it("never tells what it was shown", async () => {
    const { door } = scene();
    const server = await serveHttp((_, response) => response.writeHead(401).end());
    for (const authorization of ["Bearer geheim", "Bearer geheim\r\nx: y", "Bearer geh\u0000eim"]) {
      const outcome = await door.fetch(requestOf(server.url, { authorization }), going());
      expect(outcome.kind).toBe("failed");
      expect(JSON.stringify(outcome)).not.toMatch(/geh/);
    }
  });

  it.each(["ftp://127.0.0.1/", "nonsense", ""])("rejects what is no URL: %j", async (url) => {
    const { door } = scene();
    await expect(door.fetch(requestOf(url), going())).rejects.toMatchObject({ code: "invalid" });
  });
}

function limitContract(scene: () => Scene): void {
  const flood: RequestListener = (_, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    const more = () => {
      while (!response.destroyed && response.write("m 1\n".repeat(4_096)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };

  it("an endless body is left as soon as it is too long", async () => {
    const { door } = scene();
    const server = await serveHttp(flood);
    expect(await door.fetch(requestOf(server.url, { bytes: 2 ** 20 }), going())).toEqual(
      failed("it sends more than 1 MiB"),
    );
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it("a body that becomes too long is not unpacked", async () => {
    const { door } = scene();
    const bomb = gzipSync(Buffer.alloc(128 * 2 ** 20));
    const server = await serveHttp((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    const before = process.memoryUsage().rss;
    expect(await door.fetch(requestOf(server.url, { bytes: 2 ** 20 }), going())).toEqual(
      failed("it sends more than 1 MiB"),
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * 2 ** 20);
  });

  it("a body of just so many bytes is one", async () => {
    const { door } = scene();
    const server = await serveHttp((_, response) => response.end("x".repeat(100)));
    expect((await door.fetch(requestOf(server.url, { bytes: 100 }), going())).kind).toBe("answered");
    expect((await door.fetch(requestOf(server.url, { bytes: 99 }), going())).kind).toBe("failed");
  });

  it.each([
    ["says nothing", ""],
    ["sends its head too slowly", "HTTP/1.1 200 OK\r\nx-a: 1\r\n"],
    ["only ever says 'continue'", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["does not end its body", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nup 1\n"],
  ])("is over in time for one that %s", async (_, words) => {
    const { door, clock } = scene();
    const heard = Promise.withResolvers<void>();
    const server = await serveTcp((socket) => socket.once("data", () => socket.write(words, () => heard.resolve())));
    const outcome = door.fetch(requestOf(server.url), going());
    await heard.promise;
    await clock.turn(5_000);
    expect(await outcome).toEqual(failed("no answer within 5 s"));
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(clock.waiting).toBe(0);
  });

  it("an abort rejects with its reason, before and while it asks, and hangs up", async () => {
    const { door, clock } = scene();
    const heard = Promise.withResolvers<void>();
    const server = await serveTcp((socket) => socket.once("data", () => heard.resolve()));
    const controller = new AbortController();
    const outcome = door.fetch(requestOf(server.url), controller.signal);
    await heard.promise;
    controller.abort("enough");
    await expect(outcome).rejects.toBe("enough");
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    await expect(door.fetch(requestOf(server.url), controller.signal)).rejects.toBe("enough");
    expect(server.count()).toBe(1);
    expect(clock.waiting).toBe(0);
  });
}

function connectionContract(scene: () => Scene): void {
  it("are kept for the next time, and closed at the end", async () => {
    const { door } = scene();
    const server = await serveHttp((_, response) => response.end(text));
    for (let i = 0; i < 3; i++) expect((await door.fetch(requestOf(server.url), going())).kind).toBe("answered");
    expect(server.count()).toBe(1);
    await door.close();
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    await expect(door.fetch(requestOf(server.url), going())).rejects.toMatchObject({ code: "unreachable" });
  });

  it("are made anew when the other side has closed the kept one", async () => {
    const { door } = scene();
    const answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nup 1\n";
    const server = await serveTcp((socket) => {
      let requests = 0;
      socket.on("data", () => (requests++ === 0 ? socket.write(answer) : socket.resetAndDestroy()));
    });
    for (let i = 0; i < 3; i++) expect(textOf(await door.fetch(requestOf(server.url), going()))).toBe(text);
    expect(server.count()).toBe(3);
  });
}

interface LittleServer {
  /** Ends with a slash. */
  readonly url: string;
  readonly sockets: ReadonlySet<Socket>;
  /** Connections so far. */
  readonly count: () => number;
  stop(): Promise<void>;
}

async function listen(server: Server): Promise<LittleServer> {
  const sockets = new Set<Socket>();
  let count = 0;
  server.on("connection", (socket: Socket) => {
    count++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    // Notice that the other side hung up, also when nobody reads.
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    if (!server.listening) return;
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  onTestFinished(stop);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, sockets, count: () => count, stop };
}

const serveHttp = (handle: RequestListener) => listen(createHttpServer(handle));
const serveTcp = (handle: (socket: Socket) => void) => listen(createServer(handle));
