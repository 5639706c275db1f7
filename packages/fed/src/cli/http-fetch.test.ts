import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Asked } from "#wire/client.ts";
import { httpFetch } from "./http-fetch.ts";

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await once(server, "listening");
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c`);
}

const asked: Asked = { method: "GET", headers: { accept: "text/plain" }, signal: null, redirect: "error" };

test("method, headers and body arrive, and the answer comes back", async () => {
  const url = await serve(async (incoming, response) => {
    const { accept, "content-length": length, "user-agent": agent } = incoming.headers;
    const body = await buffer(incoming);
    response.writeHead(404).end(`${incoming.method} ${incoming.url} ${accept} ${length} ${agent} ${body}`);
  });
  const answer = await httpFetch(url, { ...asked, method: "POST", body: "grüße" });
  expect([answer.ok, answer.status]).toEqual([false, 404]);
  expect(await answer.text()).toBe("POST /a?b=c text/plain 7 fed grüße");
});

test("a redirect is not followed", async () => {
  const url = await serve((_, response) => void response.writeHead(302, { location: "http://evil.test/" }).end());
  await expect(httpFetch(url, asked)).rejects.toThrow("http://evil.test/");
});

test("nobody there, and a break in the middle of an answer, are thrown", async () => {
  await expect(httpFetch(new URL("http://127.0.0.1:1/"), asked)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const url = await serve((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("half", () => response.destroy());
  });
  await expect((await httpFetch(url, asked)).text()).rejects.toThrow();
});

test("silence of the hub, before its answer and within it, has an end", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const mute = await serve(() => {});
  const none = expect(httpFetch(mute, asked)).rejects.toThrow("nothing came for 300 s");
  await vi.advanceTimersByTimeAsync(300_000);
  await none;
  const url = await serve((_, response) => void response.writeHead(200, { "content-length": "100" }).write("half"));
  const half = expect((await httpFetch(url, asked)).text()).rejects.toThrow("nothing came for 300 s");
  await vi.advanceTimersByTimeAsync(300_000);
  await half;
  expect(vi.getTimerCount()).toBe(0);
});

test("who answers in another protocol is no hub", async () => {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await expect(httpFetch(url, asked)).rejects.toThrow("without an answer");
});

test("a stream is read as it comes; who gives up ends it for the hub, too", async () => {
  const gone = Promise.withResolvers<void>();
  const url = await serve((_, response) => {
    response.on("close", () => gone.resolve());
    response.write("one");
  });
  const stop = new AbortController();
  const reader = (await httpFetch(url, { ...asked, signal: stop.signal })).body?.getReader();
  expect(String(Buffer.from((await reader?.read())?.value ?? []))).toBe("one");
  const next = expect(reader?.read()).rejects.toThrow();
  stop.abort();
  await next;
  await gone.promise;
});

test("a reader that cancels ends the stream for the hub", async () => {
  const gone = Promise.withResolvers<void>();
  const url = await serve((_, response) => {
    response.on("close", () => gone.resolve());
    response.write("one");
  });
  const reader = (await httpFetch(url, asked)).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await gone.promise;
});

test("Node's own fetch is not loaded", async () => {
  const url = await serve((_, response) => void response.end("hello"));
  const script = `
    const { httpFetch } = await import(${JSON.stringify(import.meta.resolve("./http-fetch.ts"))});
    const options = { method: "GET", headers: {}, signal: null, redirect: "error" };
    const answer = await httpFetch(new URL(process.argv[1]), options);
    process.stdout.write((await answer.text()) + " " + process.moduleLoadList.filter((name) => name.includes("undici")).join());
  `;
  const node = process.execPath;
  const { stdout } = await promisify(execFile)(node, ["--input-type=module", "-e", script, url.href]);
  expect(stdout).toBe("hello ");
});
