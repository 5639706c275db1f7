/** The contract of port `probe`, asked of an adapter against real little servers and real processes. */
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "#base/clock.ts";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import type { Probe, ProbeAddress, ProbeCommand } from "./probe.ts";
import { lateReason } from "./probe-limit.ts";

const going = () => new AbortController().signal;
const unhealthy = (reason: string) => ({ kind: "unhealthy", reason });
const late = unhealthy(lateReason(5000));

interface Scene {
  readonly clock: HandClock;
  readonly probe: Probe;
}

interface LittleServer extends ProbeAddress {
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections so far. */
  readonly count: () => number;
}

export function probeSuite(name: string, make: (clock: Clock) => Probe): void {
  const scene = (): Scene => {
    const clock = handClock();
    return { clock, probe: make(clock) };
  };
  describe(`probe ${name}`, () => {
    describe("http", () => httpContract(scene));
    describe("tcp", () => tcpContract(scene));
    describe("command", () => commandContract(scene));
  });
}

function httpContract(scene: () => Scene): void {
  const answer = (status: number, headers: Record<string, string> = {}): RequestListener => {
    return (_, response) => response.writeHead(status, headers).end("body");
  };

  it.each([200, 204, 299, 301, 304, 399])("is healthy at status %i", async (status) => {
    const { probe } = scene();
    const server = await serveHttp(answer(status, { location: "http://127.0.0.1:1/" }));
    expect(await probe.http(server, "/", 5000, going())).toMatchObject({ kind: "healthy" });
  });

  it.each([400, 401, 404, 418, 500, 503, 599])("is unhealthy at status %i", async (status) => {
    const { probe } = scene();
    const server = await serveHttp(answer(status));
    expect(await probe.http(server, "/", 5000, going())).toEqual(unhealthy(`status ${status}`));
  });

  it("asks by GET for the path as it is, and tells how long it took", async () => {
    const { probe, clock } = scene();
    let asked: unknown;
    const server = await serveHttp(async ({ method, url, headers }, response) => {
      asked = { method, url, host: headers.host };
      await clock.turn(30);
      response.end();
    });
    expect(await probe.http(server, "/health?deep=1&a=%20b", 5000, going())).toEqual({ kind: "healthy", tookMs: 30 });
    expect(asked).toEqual({ method: "GET", url: "/health?deep=1&a=%20b", host: `127.0.0.1:${server.port}` });
    expect(clock.waiting).toBe(0);
  });

  it("is healthy at the head of an answer whose body never ends, and hangs up", async () => {
    const { probe } = scene();
    const server = await serveHttp((_, response) => response.writeHead(200).write("and then"));
    expect(await probe.http(server, "/", 5000, going())).toMatchObject({ kind: "healthy" });
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it("leaves no connection to servers that would keep it", async () => {
    const { probe } = scene();
    const server = await serveHttp(answer(200, { connection: "keep-alive", "keep-alive": "timeout=60" }));
    for (let i = 0; i < 5; i++) expect(await probe.http(server, "/", 5000, going())).toMatchObject({ kind: "healthy" });
    expect(server.count()).toBe(5);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it.each([
    ["says nothing", ""],
    ["sends its head too slowly", "HTTP/1.1 200 OK\r\nx-a: 1\r\n"],
    ["only ever says 'continue'", "HTTP/1.1 100 Continue\r\n\r\n"],
  ])("is unhealthy when the limit is over: a server that %s", async (_, words) => {
    const { probe, clock } = scene();
    const heard = Promise.withResolvers<void>();
    const server = await serveTcp((socket) => socket.once("data", () => socket.write(words, () => heard.resolve())));
    const outcome = probe.http(server, "/", 5000, going());
    await heard.promise;
    await clock.turn(5000);
    expect(await outcome).toEqual(late);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it.each([
    ["garbage", "\0\x01\x02 SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    ["half a head", "HTTP/1.1 2"],
    ["a head without end", `HTTP/1.1 200 OK\r\n${"x-a: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(10_000)}`],
    ["nothing", ""],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"],
  ])("is unhealthy when the answer is %s", async (_, words) => {
    const { probe } = scene();
    const server = await serveTcp((socket) => socket.once("data", () => socket.end(words)));
    expect(await probe.http(server, "/", 5000, going())).toEqual(unhealthy(expect.stringMatching(/^[a-z]/)));
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it("is unhealthy where nobody listens and where nobody is", async () => {
    const { probe } = scene();
    expect(await probe.http(await freeAddress(), "/", 5000, going())).toEqual(unhealthy("connection refused"));
    const nowhere = { host: "no-such-host.invalid", port: 80 };
    expect(await probe.http(nowhere, "/", 5000, going())).toEqual(
      unhealthy("host name not found: no-such-host.invalid"),
    );
  });

  it("rejects with the reason of an abort, before and while it asks, and hangs up", async () => {
    const { probe, clock } = scene();
    const heard = Promise.withResolvers<void>();
    const server = await serveTcp((socket) => socket.once("data", () => heard.resolve()));
    const controller = new AbortController();
    const outcome = probe.http(server, "/", 5000, controller.signal);
    await heard.promise;
    controller.abort("enough");
    await expect(outcome).rejects.toBe("enough");
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    await expect(probe.http(server, "/", 5000, controller.signal)).rejects.toBe("enough");
    expect(server.count()).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  it("refuses what cannot be asked", async () => {
    const { probe } = scene();
    const address = { host: "127.0.0.1", port: 80 };
    await expect(probe.http(address, "/a b\r\nx: y", 5000, going())).rejects.toMatchObject({ code: "invalid" });
    await expect(probe.http({ ...address, port: 70_000 }, "/", 5000, going())).rejects.toMatchObject({
      code: "invalid",
    });
  });
}

function tcpContract(scene: () => Scene): void {
  it("is healthy when a connection opens, and hangs up", async () => {
    const { probe, clock } = scene();
    const server = await serveTcp(() => {});
    expect(await probe.tcp(server, 5000, going())).toEqual({ kind: "healthy", tookMs: 0 });
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(clock.waiting).toBe(0);
  });

  it("is unhealthy where nobody listens and where nobody is", async () => {
    const { probe } = scene();
    expect(await probe.tcp(await freeAddress(), 5000, going())).toEqual({
      ...unhealthy("connection refused"),
      refused: true,
    });
    const nowhere = { host: "no-such-host.invalid", port: 80 };
    expect(await probe.tcp(nowhere, 5000, going())).toEqual(unhealthy("host name not found: no-such-host.invalid"));
  });

  it("is not taken in by a relay that takes connections for nobody", async () => {
    const { probe, clock } = scene();
    const closes = await serveTcp((socket) => socket.end());
    expect(await probe.tcp({ ...closes, relayMs: 250 }, 5000, going())).toEqual(
      unhealthy("connection closed at once: nothing listens there yet"),
    );
    const resets = await serveTcp((socket) => socket.resetAndDestroy());
    expect(await probe.tcp({ ...resets, relayMs: 250 }, 5000, going())).toEqual(
      unhealthy("connection closed without an answer"),
    );
    const greets = await serveTcp((socket) => socket.end("220 welcome\r\n"));
    expect(await probe.tcp({ ...greets, relayMs: 250 }, 5000, going())).toMatchObject({ kind: "healthy" });
    const opened = Promise.withResolvers<void>();
    const silent = await serveTcp(() => opened.resolve());
    const outcome = probe.tcp({ ...silent, relayMs: 250 }, 5000, going());
    await opened.promise;
    await vi.waitFor(() => expect(clock.waiting).toBe(2));
    await clock.turn(250);
    expect(await outcome).toEqual({ kind: "healthy", tookMs: 250 });
    await vi.waitFor(() => expect(silent.sockets.size).toBe(0));
    expect(clock.waiting).toBe(0);
  });

  it("rejects with the reason of an abort, before and while it asks", async () => {
    const { probe, clock } = scene();
    const server = await serveTcp(() => {});
    const controller = new AbortController();
    const outcome = probe.tcp(server, 5000, controller.signal);
    controller.abort("enough");
    await expect(outcome).rejects.toBe("enough");
    await expect(probe.tcp(server, 5000, controller.signal)).rejects.toBe("enough");
    expect(clock.waiting).toBe(0);
  });

  it("refuses what cannot be asked", async () => {
    const { probe } = scene();
    await expect(probe.tcp({ host: "127.0.0.1", port: -1 }, 5000, going())).rejects.toMatchObject({ code: "invalid" });
  });
}

function commandContract(scene: () => Scene): void {
  const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin" };
  const run = (...command: string[]): ProbeCommand => ({ command, folder: tempFolder(), environment });
  const sh = (script: string) => run("sh", "-c", script);

  it.each([
    ["exit 0", { kind: "healthy" }],
    ["exit 1", unhealthy("exit code 1")],
    ["exit 127", unhealthy("exit code 127")],
    ["kill -SEGV $$", unhealthy("killed by SIGSEGV")],
  ])("judges by the exit code: %s", async (script, outcome) => {
    const { probe, clock } = scene();
    expect(await probe.command(sh(script), 5000, going())).toMatchObject(outcome);
    expect(clock.waiting).toBe(0);
  });

  it("runs in the folder, with the environment and no more, without a shell, without input", async () => {
    const { probe } = scene();
    const healthy = { kind: "healthy" };
    const there = sh('test "$PWD" = "$EXPECTED" && test "$A" = "b \'c\'" && test -z "$VITEST" && ! read line');
    const withMore = { ...there, environment: { ...environment, A: "b 'c'", EXPECTED: there.folder } };
    expect(await probe.command(withMore, 5000, going())).toMatchObject(healthy);
    expect(await probe.command(run("true", "; exit 1", "$(exit 1)"), 5000, going())).toMatchObject(healthy);
    expect(await probe.command(run("true; false"), 5000, going())).toEqual(unhealthy("command not found: true; false"));
  });

  it("says what cannot run", async () => {
    const { probe } = scene();
    expect(await probe.command(run("no-such-command"), 5000, going())).toEqual(
      unhealthy("command not found: no-such-command"),
    );
    const away = { ...run("true"), folder: "/no/such/folder" };
    expect(await probe.command(away, 5000, going())).toEqual(unhealthy("folder not found: /no/such/folder"));
    expect(await probe.command(run("/etc"), 5000, going())).toEqual(unhealthy("command may not be run: /etc"));
    await expect(probe.command(run(), 5000, going())).rejects.toMatchObject({ code: "invalid" });
    await expect(probe.command(run("true", "\0"), 5000, going())).rejects.toMatchObject({ code: "invalid" });
  });

  it("ends a command that ignores SIGTERM, with its children, when the limit is over", async () => {
    const { probe, clock } = scene();
    const stubborn = sh(
      'trap "" TERM; sleep 1000 & echo "$$ $!" > pids.new; mv pids.new pids; while :; do sleep 1000; done',
    );
    const outcome = probe.command(stubborn, 5000, going());
    const [leader, child] = await pidsIn(stubborn.folder);
    await clock.turn(5000);
    expect(await outcome).toEqual(late);
    expect(isRunning(leader)).toBe(false);
    await vi.waitFor(() => expect(isRunning(child)).toBe(false));
    expect(clock.waiting).toBe(0);
  });

  it("ends it when it is aborted, and rejects with the reason; begins nothing after", async () => {
    const { probe, clock } = scene();
    const slow = sh('echo "$$ $$" > pids.new; mv pids.new pids; exec sleep 1000');
    const controller = new AbortController();
    const outcome = probe.command(slow, 5000, controller.signal);
    const [leader] = await pidsIn(slow.folder);
    controller.abort("enough");
    await expect(outcome).rejects.toBe("enough");
    expect(isRunning(leader)).toBe(false);
    const marked = sh("touch mark");
    await expect(probe.command(marked, 5000, controller.signal)).rejects.toBe("enough");
    expect(existsSync(join(marked.folder, "mark"))).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  it("leaves nothing of what a command put in the background", async () => {
    const { probe } = scene();
    const sower = sh('sleep 1000 & echo "$$ $!" > pids');
    expect(await probe.command(sower, 5000, going())).toMatchObject({ kind: "healthy" });
    const [, child] = await pidsIn(sower.folder);
    await vi.waitFor(() => expect(isRunning(child)).toBe(false));
  });

  it("drops a flood of output", async () => {
    const { probe } = scene();
    const before = process.memoryUsage().rss;
    const flood = sh("head -c 200000000 /dev/zero; head -c 200000000 /dev/zero >&2");
    expect(await probe.command(flood, 20_000, going())).toMatchObject({ kind: "healthy" });
    // Of 400 MB: what was dropped may wait for the garbage collector.
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });
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
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { host: "127.0.0.1", port: portOf(server), sockets, count: () => count };
}

const serveHttp = (handle: RequestListener) => listen(createHttpServer(handle));
const serveTcp = (handle: (socket: Socket) => void) => listen(createServer(handle));

/** An address at which nobody listens: one that was free a moment ago. */
async function freeAddress(): Promise<ProbeAddress> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return { host: "127.0.0.1", port };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-probe-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The two process ids that the command wrote; killed when the test is over, whatever came of it. */
async function pidsIn(folder: string): Promise<readonly [number, number]> {
  const text = await vi.waitFor(() => readFileSync(join(folder, "pids"), "utf8"), { timeout: 5000, interval: 5 });
  const [first, second] = text.trim().split(" ").map(Number);
  if (!first || !second) throw new Error(`no process ids: ${text}`);
  onTestFinished(() => {
    for (const pid of [first, second]) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  });
  return [first, second];
}

/** Whether it still does something: a zombie that nobody has fetched does not. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
