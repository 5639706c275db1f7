import { request as ask } from "node:http";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { z } from "zod";
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
const handlers = {
  ...{ much: () => long, value: () => value, text: () => "a 1\n".repeat(400), little: () => ({ a: 1 }) },
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
