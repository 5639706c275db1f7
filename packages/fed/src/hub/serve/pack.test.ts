import { randomBytes } from "node:crypto";
import { request as ask } from "node:http";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { z } from "zod";
import { Fault } from "#base/fault.ts";
import { endpoint } from "#wire/endpoint.ts";
import { openScene } from "./serve.scene.ts";

const get = (path: string, answer: "one" | "prometheus" | "text" = "one") =>
  endpoint({
    ...{ method: "GET", path, role: "viewer", answer, summary: "" },
    input: z.object({}),
    output: z.unknown(),
  });

const table = {
  much: get("/api/v1/much", "prometheus"),
  pieces: get("/api/v1/pieces", "prometheus"),
  onePiece: get("/api/v1/one-piece", "prometheus"),
  noPiece: get("/api/v1/no-piece", "prometheus"),
  broken: get("/api/v1/broken", "prometheus"),
  value: get("/api/v1/value"),
  text: get("/text", "text"),
  little: get("/api/v1/little"),
  me: get("/api/v1/auth/me"),
  deed: endpoint({
    ...{ method: "POST", path: "/api/v1/deed", role: "viewer", answer: "one", summary: "" },
    ...{ input: z.object({}), output: z.unknown() },
  }),
};

const long = `"${"zwölf Äpfel 🍏 ".repeat(30_000)}"`;
const value = { all: Array.from({ length: 400 }, (_, i) => `number ${i}`) };
const pieces = Array.from({ length: 50 }, (_, i) => Buffer.from(`${"ä".repeat(500)}${i}`));
async function* slowly() {
  yield* pieces;
}
const handlers = {
  ...{ pieces: () => slowly(), onePiece: () => [pieces[0]], noPiece: () => [] },
  ...{
    broken: () => slowly(),
    much: () => long,
    value: () => value,
    text: () => "a 1\n".repeat(400),
    little: () => ({ a: 1 }),
  },
  ...{ me: () => value, deed: () => value },
};

interface Answered {
  readonly vary: string | undefined;
  readonly encoding: string | undefined;
  readonly bytes: Buffer;
}

function fetchRaw(url: string, path: string, encoding: string | undefined, method = "GET"): Promise<Answered> {
  const headers = {
    ...{ authorization: "Bearer viewer", "content-type": "application/json" },
    ...(encoding === undefined ? {} : { "accept-encoding": encoding }),
  };
  return new Promise((resolve, reject) => {
    const asked = ask(url + path, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          vary: response.headers.vary,
          encoding: response.headers["content-encoding"],
          bytes: Buffer.concat(chunks),
        }),
      );
    });
    asked.on("error", reject);
    asked.end(method === "POST" ? "{}" : undefined);
  });
}

test("what is long is packed for who takes it packed, letter for letter the same", async () => {
  const hub = await openScene({ table, handlers });
  for (const encoding of ["gzip", "br, gzip;q=0.5", "deflate, GZIP"]) {
    const { vary, encoding: told, bytes } = await fetchRaw(hub.url, "/api/v1/much", encoding);
    expect([vary, told]).toEqual(["accept-encoding", "gzip"]);
    expect(bytes.length).toBeLessThan(20_000);
    expect(gunzipSync(bytes).toString()).toBe(long);
  }
  expect(gunzipSync((await fetchRaw(hub.url, "/api/v1/value", "gzip")).bytes).toString()).toBe(JSON.stringify(value));
  expect(gunzipSync((await fetchRaw(hub.url, "/text", "gzip")).bytes).toString()).toBe("a 1\n".repeat(400));
  expect(await (await hub.get("/api/v1/much", { headers: { authorization: "Bearer viewer" } })).text()).toBe(long);
});

test.each<[path: string, encoding: string | undefined, method?: string]>([
  ["/api/v1/much", undefined],
  ["/api/v1/much", "gzip;q=0, br"],
  ["/api/v1/little", "gzip"],
  ["/api/v1/auth/me", "gzip"],
  ["/api/v1/deed", "gzip", "POST"],
])("%s for %s is sent as it is", async (path, encoding, method) => {
  const hub = await openScene({ table, handlers });
  const { encoding: told, bytes } = await fetchRaw(hub.url, path, encoding, method);
  expect(told).toBeUndefined();
  expect(JSON.parse(bytes.toString())).toBeTruthy();
});

test("pieces are sent as they come, packed or not", async () => {
  const hub = await openScene({ table, handlers: handlers });
  const all = Buffer.concat(pieces).toString();
  const packed = await fetchRaw(hub.url, "/api/v1/pieces", "gzip");
  expect([packed.encoding, gunzipSync(packed.bytes).toString()]).toEqual(["gzip", all]);
  const plain = await fetchRaw(hub.url, "/api/v1/pieces", undefined);
  expect([plain.encoding, plain.bytes.toString()]).toEqual([undefined, all]);
  expect((await fetchRaw(hub.url, "/api/v1/one-piece", undefined)).bytes.equals(pieces[0] as Buffer)).toBe(true);
  expect((await fetchRaw(hub.url, "/api/v1/no-piece", "gzip")).bytes).toHaveLength(0);
});

test("what goes wrong before the first piece is an answer, later it ends the connection", async () => {
  const afterSome = (count: number, sizeBytes: number) =>
    async function* () {
      for (let i = 0; i < count; i++) yield randomBytes(sizeBytes);
      throw new Fault("limited", "too many samples");
    };
  for (const encoding of [undefined, "gzip"]) {
    // Two of few bytes are still on their way through the packing thread.
    const nothing = encoding === "gzip" ? 2 : 0;
    const early = await openScene({ table, handlers: { ...handlers, broken: () => afterSome(nothing, 10)() } });
    const { bytes, encoding: told } = await fetchRaw(early.url, "/api/v1/broken", encoding);
    expect(JSON.parse(bytes.toString())).toMatchObject({ status: "error", error: "too many samples" });
    expect(told).toBeUndefined();
    const late = await openScene({ table, handlers: { ...handlers, broken: () => afterSome(9, 100_000)() } });
    await expect(fetchRaw(late.url, "/api/v1/broken", encoding)).rejects.toMatchObject({ code: "ECONNRESET" });
  }
});
