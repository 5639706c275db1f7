import { once } from "node:events";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Endpoint, endpoint } from "#wire/endpoint.ts";
import type { CallContext } from "#wire/handler.ts";
import type { AnyHandler } from "./route.ts";
import { openScene, type Raw, request, table } from "./serve.scene.ts";

const uploads = {
  ...table,
  report: endpoint({
    ...{ method: "POST", path: "/report", role: "machine", answer: "lines", body: "stream", summary: "" },
    ...{ input: z.object({ now: z.coerce.number().optional() }), output: z.string() },
  }),
} as const satisfies Record<string, Endpoint>;

async function openUploads(report: AnyHandler, limits = {}) {
  const scene = await openScene({ table: uploads, handlers: { report }, limits });
  scene.callers.set("machine", { kind: "machine", name: "node5", joinedMs: 1 });
  return scene;
}

/** Says back what it is sent, in capitals. */
const echo: AnyHandler = async function* (_input: unknown, context: CallContext) {
  yield "hello";
  for await (const bytes of context.upload ?? []) yield Buffer.from(bytes).toString().toUpperCase();
  yield "end";
};

function begin(raw: Raw, path = "/report", bearer = "machine"): void {
  const headers = { authorization: `Bearer ${bearer}`, "transfer-encoding": "chunked" };
  raw.send(request(`POST ${path}`, headers));
}

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

test("is answered while it comes", async () => {
  const scene = await openUploads(echo);
  const raw = scene.connect();
  begin(raw);
  await raw.until("hello\n");
  raw.send(chunk("one"));
  await raw.until("ONE\n");
  raw.send(chunk("two"));
  await raw.until("TWO\n");
  raw.send("0\r\n\r\n");
  expect(await raw.closed).toContain("end\n");
});

test("may be left and taken up again, and is answered to the end", async () => {
  const scene = await openUploads(async function* (_input: unknown, { upload }: CallContext) {
    for await (const bytes of upload ?? []) {
      yield `first ${Buffer.from(bytes)}`;
      break;
    }
    for await (const bytes of upload ?? []) yield `then ${Buffer.from(bytes)}`;
    yield "end";
  });
  const raw = scene.connect();
  begin(raw);
  raw.send(chunk("one"));
  await raw.until("first one\n");
  raw.send(chunk("two"));
  await raw.until("then two\n");
  raw.send("0\r\n\r\n");
  expect(await raw.closed).toContain("end\n");
});

test("outlives the time in which an ordinary request has to come", async () => {
  const scene = await openUploads(echo, { requestTimeoutMs: 100, headersTimeoutMs: 100 });
  const upload = scene.connect();
  begin(upload);
  await upload.until("hello\n");
  const slow = scene.connect();
  slow.send("POST /api/v1/echo/a HTTP/1.1\r\nhost: hub\r\n");
  expect(await slow.closed).toContain("408");
  upload.send(chunk("still here"));
  await upload.until("STILL HERE\n");
});

test("is for machines only, and they for nothing else", async () => {
  const scene = await openUploads(echo);
  for (const bearer of ["viewer", "admin", "local", "token", "unknown"]) {
    const raw = scene.connect();
    begin(raw, "/report", bearer);
    await raw.until(bearer === "unknown" ? "HTTP/1.1 401" : "HTTP/1.1 403");
  }
  const headers = { authorization: "Bearer machine" };
  expect((await scene.get("/text", { headers })).status).toBe(403);
  expect((await scene.get("/api/v1/lines", { headers })).status).toBe(403);
  expect((await scene.get("/health", { headers })).status).toBe(200);
});

test("holds back who sends more than is read", async () => {
  const gate = Promise.withResolvers<void>();
  let read = 0;
  const scene = await openUploads(async function* (_input: unknown, context: CallContext) {
    yield "hello";
    await gate.promise;
    for await (const bytes of context.upload ?? []) read += bytes.byteLength;
    yield `read ${read}`;
  });
  const raw = scene.connect();
  begin(raw);
  await raw.until("hello\n");
  const block = "x".repeat(1024 * 1024);
  for (let n = 0; n < 64; n++) raw.send(chunk(block));
  raw.send("0\r\n\r\n");
  expect(raw.socket.writableLength).toBeGreaterThan(32 * 1024 * 1024);
  expect(read).toBe(0);
  gate.resolve();
  await once(raw.socket, "drain");
  await raw.until(`read ${64 * 1024 * 1024}\n`);
});

test("ends with the caller's right to it, and its reader hears of it", async () => {
  const ended = Promise.withResolvers<string>();
  const scene = await openUploads(
    async function* (_input: unknown, context: CallContext) {
      yield "hello";
      context.signal.addEventListener("abort", () => ended.resolve("aborted"));
      for await (const _ of context.upload ?? []) yield "got";
    },
    { heartbeatMs: 5 },
  );
  const raw = scene.connect();
  begin(raw);
  await raw.until("hello\n");
  scene.callers.set("machine", { kind: "machine", name: "node5", joinedMs: 2 });
  expect(await ended.promise).toBe("aborted");
  expect(await raw.closed).toContain("fault you are no longer signed in");
});

test("says what goes wrong in a line", async () => {
  const scene = await openUploads(async function* () {
    yield "hello";
    throw new Error("a secret of the hub");
  });
  const raw = scene.connect();
  begin(raw);
  const all = await raw.closed;
  expect(all).toMatch(/fault the hub could not do this because of a defect of its own\n/);
  expect(all).not.toContain("secret");
});
