import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair, pipeline } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { openEngineClient } from "./client.ts";
import type { EngineSocket } from "./dial.ts";

const going = new AbortController().signal;
const what = "test";

/** A socket behind which every call but the first is answered so. */
async function serve(answer: RequestListener, version: string | undefined = "1.41"): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "fed-client-"));
  const server = createServer((request, response) => {
    if (request.url !== "/_ping") return answer(request, response);
    if (version !== undefined) response.setHeader("api-version", version);
    response.end("OK");
  });
  const path = join(folder, "engine.sock");
  server.listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}

/** A connection that is no socket, as a channel of SSH is none. */
const channelTo = (path: string): EngineSocket => ({
  kind: "dial",
  async dial() {
    const socket = createConnection({ path });
    await once(socket, "connect");
    const [near, far] = duplexPair();
    pipeline(socket, far, socket, () => near.destroy());
    return near.once("close", () => socket.destroy());
  },
});

const open = (socket: EngineSocket, clock = systemClock) => openEngineClient({ name: "docker", socket, clock });
const unix = (path: string): EngineSocket => ({ kind: "unix", path });

describe.each([
  ["a socket", unix],
  ["any connection", channelTo],
] as const)("over %s", (_, reach) => {
  test("asks in JSON, and reads what is answered", async () => {
    const path = await serve(async (request, response) => {
      const { url, method, headers } = request;
      const body = (await buffer(request)).toString();
      response.end(JSON.stringify({ url, method, type: headers["content-type"], body }));
    });
    const client = open(reach(path));
    const query = { all: true, none: undefined, text: "a b&c" };
    expect(await client.json({ method: "POST", path: "/a", query, json: { b: 1 }, what }, going)).toEqual({
      ...{ url: "/v1.41/a?all=true&text=a+b%26c", method: "POST", type: "application/json", body: '{"b":1}' },
    });
    expect(await client.json({ method: "GET", path: "/libpod/a", what }, going)).toMatchObject({
      url: "/v4.0.0/libpod/a",
    });
    async function* parts() {
      yield Buffer.from("first ");
      yield Buffer.from("second");
    }
    expect(await client.json({ method: "PUT", path: "/a", bytes: parts(), what }, going)).toMatchObject({
      ...{ type: "application/x-tar", body: "first second" },
    });
  });

  test("streams, and lets go when the reader does", async () => {
    const closed = Promise.withResolvers<void>();
    const path = await serve((request, response) => {
      request.socket.once("close", () => closed.resolve());
      const more = () => {
        while (response.write("x".repeat(10_000)));
        response.once("drain", more);
      };
      more();
    });
    for await (const chunk of await open(reach(path)).stream({ method: "GET", path: "/a", what }, going)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await closed.promise;
  });

  test("gives up with the reason of an abort, before the answer and in it", async () => {
    const path = await serve((request, response) => {
      if (request.url?.endsWith("/some")) response.write("some");
    });
    const client = open(reach(path));
    const first = new AbortController();
    const asked = client.json({ method: "GET", path: "/none", what }, first.signal);
    setImmediate(() => first.abort("enough"));
    await expect(asked).rejects.toBe("enough");
    const second = new AbortController();
    const body = await client.stream({ method: "GET", path: "/some", what }, second.signal);
    const read = async () => {
      for await (const chunk of body) {
        expect(`${chunk}`).toBe("some");
        second.abort("enough");
      }
    };
    await expect(read()).rejects.toBe("enough");
    const late = client.json({ method: "GET", path: "/none", what }, AbortSignal.abort("enough"));
    await expect(late).rejects.toBe("enough");
  });

  test("tells when the engine breaks off", async () => {
    const path = await serve((request, response) => {
      if (request.url?.endsWith("/none")) request.socket.destroy();
      else response.write("some", () => request.socket.destroy());
    });
    const client = open(reach(path));
    const ask = (at: string) => client.json({ method: "GET", path: at, what }, going);
    await expect(ask("/none")).rejects.toMatchObject({ code: "unreachable" });
    await expect(ask("/some")).rejects.toMatchObject({ code: "unreachable" });
  });
});

test("what an engine refuses is a Fault with its words and status", async () => {
  const path = await serve((_, response) => {
    response.statusCode = 409;
    response.end(JSON.stringify({ message: "it runs" }));
  });
  await expect(open(unix(path)).json({ method: "GET", path: "/a", what: "look" }, going)).rejects.toMatchObject({
    ...{ code: "conflict", message: "docker: look: it runs", details: { status: 409 } },
  });
});

test("waits for an answer only so long", async () => {
  const clock = handClock();
  const arrived = Promise.withResolvers<void>();
  const path = await serve(() => arrived.resolve());
  const asked = open(unix(path), clock).json({ method: "GET", path: "/a", what, timeoutMs: 5_000 }, going);
  const outcome = expect(asked).rejects.toMatchObject({ code: "timeout" });
  await arrived.promise;
  await clock.turn(5_000);
  await outcome;
});

test("speaks no newer version than the engine does, nor one that it does not know itself", async () => {
  const answer: RequestListener = ({ url }, response) => void response.end(JSON.stringify(url));
  const ask = async (version?: string) =>
    open(unix(await serve(answer, version))).json({ method: "GET", path: "/a", what }, going);
  expect(await ask("1.41")).toBe("/v1.41/a");
  expect(await ask("1.99")).toBe("/v1.47/a");
  const path = await serve(answer, "HTTP");
  const stranger = open(unix(path)).json({ method: "GET", path: "/a", what }, going);
  await expect(stranger).rejects.toMatchObject({ code: "unsupported" });
});

test("asks for the version anew when the engine has become another one", async () => {
  let refused = 0;
  const path = await serve(({ url }, response) => {
    if (refused++ === 0) {
      response.statusCode = 400;
      return void response.end('{"message":"client version 1.41 is too old. Minimum supported API version is 1.44"}');
    }
    response.end(JSON.stringify(url));
  });
  const client = open(unix(path));
  const ask = () => client.json({ method: "GET", path: "/a", what }, going);
  await expect(ask()).rejects.toMatchObject({ code: "invalid" });
  expect(await ask()).toBe("/v1.41/a");
});

test("says where no engine listens, and asks again once one does", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fed-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ask = (path: string) => open(unix(path)).json({ method: "GET", path: "/a", what }, going);
  await expect(ask(join(folder, "none"))).rejects.toMatchObject({ code: "unreachable" });
  writeFileSync(join(folder, "file"), "");
  await expect(ask(join(folder, "file"))).rejects.toMatchObject({ code: "unreachable" });
});
