import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeClient } from "./client.ts";
import { endpoint } from "./endpoint.ts";
import { problemOf } from "./problem.ts";
import { encodeSse } from "./sse.ts";

const shape = { summary: "", output: z.object({ n: z.number() }) } as const;
const named = z.object({ name: z.string(), q: z.string().optional() });
const get = endpoint({ ...shape, method: "GET", path: "/a/:name", role: "viewer", answer: "one", input: named });
const post = endpoint({ ...shape, method: "POST", path: "/a/:name", role: "viewer", answer: "one", input: named });
const text = endpoint({
  ...shape,
  method: "GET",
  path: "/t",
  role: "viewer",
  answer: "text",
  input: z.object({}),
  output: z.string(),
});
const many = endpoint({ ...shape, method: "GET", path: "/m", role: "viewer", answer: "many", input: z.object({}) });
const events = endpoint({ ...shape, method: "GET", path: "/e", role: "viewer", answer: "events", input: z.object({}) });

function makeFake(answer: () => Response | Promise<Response>) {
  const asked: { readonly url: string; readonly init: RequestInit }[] = [];
  const fake: typeof fetch = async (url, init = {}) => {
    asked.push({ url: String(url), init });
    return answer();
  };
  return { asked, fetch: fake, url: "http://hub:1" };
}

const ok = (value: unknown) => () => Response.json(value);

/** A body that says what is put in, and ends or breaks when told to. */
function makeBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start(one) {
      controller = one;
    },
    cancel() {
      cancelled = true;
    },
  });
  return {
    response: () => new Response(stream),
    say: (part: string) => controller?.enqueue(new TextEncoder().encode(part)),
    end: () => controller?.close(),
    break: () => controller?.error(new TypeError("terminated")),
    cancelled: () => cancelled,
  };
}

async function readAll<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("a call", () => {
  test("fills the path; the rest is the query of a GET and the body of a POST", async () => {
    const hub = makeFake(ok({ n: 1 }));
    const client = makeClient(hub);
    expect(await client.call(get, { name: "a/b ?", q: "x&y" })).toEqual({ n: 1 });
    await client.call(post, { name: "b", q: "x" });
    expect(hub.asked.map(({ url, init }) => [init.method, url, init.body])).toEqual([
      ["GET", "http://hub:1/a/a%2Fb%20%3F?q=x%26y", undefined],
      ["POST", "http://hub:1/a/b", '{"q":"x"}'],
    ]);
    expect(hub.asked[1]?.init.headers).toMatchObject({ "content-type": "application/json" });
  });

  test("asks for its token and its headers each time, and follows no redirect with them", async () => {
    const hub = makeFake(ok({ n: 1 }));
    let count = 0;
    const client = makeClient({ ...hub, token: async () => `t${++count}`, headers: () => ({ "x-csrf-token": "c" }) });
    await client.call(get, { name: "a" });
    await client.call(get, { name: "a" });
    expect(hub.asked.map(({ init }) => init)).toMatchObject([
      { headers: { authorization: "Bearer t1", "x-csrf-token": "c" }, redirect: "error" },
      { headers: { authorization: "Bearer t2", "x-csrf-token": "c" } },
    ]);
    await makeClient({ ...hub, token: async () => undefined }).call(get, { name: "a" });
    expect(hub.asked[2]?.init.headers).not.toHaveProperty("authorization");
  });

  test("of text gives the text", async () => {
    expect(await makeClient(makeFake(() => new Response("fed_up 1\n"))).call(text, {})).toBe("fed_up 1\n");
  });

  test("throws the hub's fault as it was", async () => {
    const fault = new Fault("limited", "too often", { hint: "Wait.", details: { retryAfterSeconds: 3 } });
    const hub = makeFake(() => Response.json(problemOf(fault), { status: 429 }));
    await expect(makeClient(hub).call(get, { name: "a" })).rejects.toMatchObject({
      ...{ code: "limited", message: "too often", hint: "Wait.", details: { retryAfterSeconds: 3 } },
    });
  });

  test("reads the answer of what stands between by its status", async () => {
    for (const [status, code] of [
      [502, "unreachable"],
      [413, "invalid"],
      [401, "unauthenticated"],
      [418, "internal"],
    ] as const) {
      const hub = makeFake(() => new Response("<html>proxy</html>", { status }));
      await expect(makeClient(hub).call(get, { name: "a" })).rejects.toMatchObject({ code });
    }
  });

  test("that nobody answers, breaks off, or makes no sense is a fault each", async () => {
    const refused = makeFake(() => Promise.reject(new TypeError("fetch failed")));
    await expect(makeClient(refused).call(get, { name: "a" })).rejects.toMatchObject({ code: "unreachable" });
    const broken = makeBody();
    const call = makeClient(makeFake(broken.response)).call(get, { name: "a" });
    broken.say('{"n"');
    broken.break();
    await expect(call).rejects.toMatchObject({ code: "unreachable", message: "the connection to the hub broke off" });
    await expect(makeClient(makeFake(() => new Response("<html>"))).call(get, { name: "a" })).rejects.toMatchObject({
      code: "internal",
    });
    await expect(makeClient(makeFake(ok({ n: "1" }))).call(get, { name: "a" })).rejects.toMatchObject({
      ...{ code: "internal", hint: expect.stringContaining("same version") },
    });
  });

  test("that is given up throws the reason", async () => {
    const reason = new Error("enough");
    const hub = makeFake(() => Promise.reject(new DOMException("aborted", "AbortError")));
    await expect(makeClient(hub).call(get, { name: "a" }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("a stream of lines", () => {
  test("gives items, passes over heartbeats and throws the fault in its middle", async () => {
    const lines = `\n{"item":{"n":1}}\n\n{"item":{"n":2}}\n${JSON.stringify({ problem: problemOf(new Fault("missing", "gone")) })}\n`;
    const got: unknown[] = [];
    const read = async () => {
      for await (const item of makeClient(makeFake(() => new Response(lines))).stream(many, {})) got.push(item);
    };
    await expect(read()).rejects.toMatchObject({ code: "missing", message: "gone" });
    expect(got).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe("a stream of events", () => {
  test("gives the data of each frame and ends with the connection", async () => {
    const frames = `:\n\n${encodeSse('{"n":1}', 1)}:\n\n${encodeSse('{"n":2}')}data: {"n"`;
    const hub = makeFake(() => new Response(frames));
    expect(await readAll(makeClient(hub).events(events, {}))).toEqual([{ n: 1 }, { n: 2 }]);
    expect(hub.asked[0]?.init.headers).toMatchObject({ accept: "text/event-stream" });
  });

  test("that is silent for 45 s is broken off; a heartbeat is no silence", async () => {
    const clock = handClock();
    const body = makeBody();
    const read = readAll(makeClient({ ...makeFake(body.response), clock }).events(events, {}));
    const outcome = expect(read).rejects.toMatchObject({ code: "unreachable" });
    await expect.poll(() => clock.waiting).toBe(1);
    await clock.turn(44_000);
    body.say(":\n\n");
    await new Promise((resolve) => setImmediate(resolve));
    await clock.turn(44_999);
    expect(body.cancelled()).toBe(false);
    await clock.turn(1);
    await outcome;
    expect(body.cancelled()).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("is let go when its reader stops", async () => {
    const clock = handClock();
    const body = makeBody();
    body.say(encodeSse('{"n":1}'));
    for await (const item of makeClient({ ...makeFake(body.response), clock }).events(events, {})) {
      expect(item).toEqual({ n: 1 });
      break;
    }
    expect(body.cancelled()).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  test("that breaks off says so, and one that is given up throws the reason", async () => {
    const body = makeBody();
    const read = readAll(makeClient(makeFake(body.response)).events(events, {}));
    body.break();
    await expect(read).rejects.toMatchObject({ code: "unreachable" });
    const stop = new AbortController();
    const other = makeBody();
    const given = readAll(makeClient(makeFake(other.response)).events(events, {}, stop.signal));
    stop.abort(new Error("enough"));
    other.break();
    await expect(given).rejects.toThrow("enough");
  });
});
