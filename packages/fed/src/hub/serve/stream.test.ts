import { describe, expect, test } from "vitest";
import { makeBroadcast } from "#base/broadcast.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import type { CallContext } from "#wire/handler.ts";
import { openScene, type Raw, request } from "./serve.scene.ts";

const asViewer = { authorization: "Bearer viewer" };

const eventOf = (sequence: number, text = "") => ({ kind: "event", event: { sequence, data: { text } } });

/** A hub whose stream and lines carry what the test sends, and that knows how many read. */
async function openStream(options: Parameters<typeof openScene>[0] = {}) {
  const sent = makeBroadcast<unknown>(10_000);
  const inputs: unknown[] = [];
  let open = 0;
  async function* read(input: unknown, { signal }: CallContext) {
    inputs.push(input);
    open++;
    try {
      yield* sent.read(signal);
    } finally {
      open--;
    }
  }
  const clock = handClock();
  const hub = await openScene({ clock, ...options, handlers: { stream: read, lines: read, ...options.handlers } });
  const connect = (path: string, headers: Readonly<Record<string, string>> = {}): Raw => {
    const raw = hub.connect();
    raw.send(request(`GET ${path}`, { ...asViewer, ...headers }));
    return raw;
  };
  const readers = (count: number) => expect.poll(() => open).toBe(count);
  return { ...hub, clock, inputs, send: sent.send, end: sent.close, connect, readers };
}

const sse = "/api/v1/events/stream";

/** The bytes of a chunked answer without the marks of its chunks. */
function unchunk(answer: string): string {
  return (answer.split("\r\n\r\n").slice(1).join("\r\n\r\n") ?? "").replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, "");
}

describe("frames", () => {
  test("an event carries its sequence as id, anything else none", async () => {
    const hub = await openStream();
    const raw = hub.connect(sse);
    await hub.readers(1);
    hub.send(eventOf(7, "a\nb\r\n\r\nid: 9"));
    hub.send({ kind: "changed" });
    hub.send({ kind: "gap", first: 3 });
    hub.end();
    const answer = await raw.until("0\r\n\r\n");
    const head = answer.split("\r\n\r\n", 1)[0]?.toLowerCase();
    expect(head).toContain("content-type: text/event-stream");
    expect(head).toContain("x-accel-buffering: no");
    expect(head).toContain("cache-control: no-store");
    expect(head).toContain("x-content-type-options: nosniff");
    expect(unchunk(answer)).toContain(
      ":\n\n" +
        `id: 7\ndata: ${JSON.stringify(eventOf(7, "a\nb\r\n\r\nid: 9"))}\n\n` +
        'data: {"kind":"changed"}\n\n' +
        'data: {"kind":"gap","first":3}\n\n',
    );
  });

  test("an event is made into text once for all who read it", async () => {
    const hub = await openStream();
    const raws = Array.from({ length: 20 }, () => hub.connect(sse));
    await hub.readers(20);
    let made = 0;
    const counted = { kind: "event", event: { sequence: 1, data: { toJSON: () => `made ${++made}` } } };
    hub.send(counted);
    for (const raw of raws) await raw.until("made 1");
    expect(made).toBe(1);
  });

  test("a stream of lines ends with what went wrong, without the inside", async () => {
    for (const [thrown, code, said] of [
      [new Fault("missing", "no such service", { hint: "Look." }), "missing", "no such service"],
      [new Error("secret"), "internal", "defect"],
    ] as const) {
      const hub = await openStream({
        handlers: {
          lines: async function* () {
            yield { a: 1 };
            throw thrown;
          },
        },
      });
      const response = await hub.get("/api/v1/lines", { headers: asViewer });
      const [beat, item, problem, ...more] = (await response.text()).split("\n");
      expect([beat, item, more]).toEqual(["", '{"item":{"a":1}}', [""]]);
      expect(problem).toContain(`"code":"${code}"`);
      expect(problem).toContain(said);
      expect(problem).not.toContain("secret");
    }
  });

  test("a fault before the stream begins is an answer like any other", async () => {
    const hub = await openStream({
      handlers: {
        stream: () => {
          throw new Fault("invalid", "no such filter");
        },
      },
    });
    const response = await hub.get(sse, { headers: asViewer });
    expect([response.status, (await response.json()) as object]).toMatchObject([422, { detail: "no such filter" }]);
  });

  test.each([
    [new Fault("missing", "no such service", { hint: "Look." }), 404, "no such service"],
    [new Error("secret"), 500, "defect"],
  ])("so is one before the first line: %s", async (thrown, status, said) => {
    const hub = await openStream({
      handlers: {
        // Waits for something first, as one that asks a machine.
        lines: async function* (_input: unknown, { signal }: CallContext) {
          await new Promise((resolve) => setImmediate(resolve));
          signal.throwIfAborted();
          throw thrown;
        },
      },
    });
    const response = await hub.get("/api/v1/lines", { headers: asViewer });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
    expect(text).toContain(said);
    expect(text).not.toContain("secret");
    expect(hub.facts).toMatchObject([{ endpoint: "lines", status }]);
    expect(hub.clock.waiting).toBe(0);
  });

  test("a quiet stream of lines begins after 100 ms; events begin at once", async () => {
    const hub = await openStream();
    const [events, lines] = [hub.connect(sse), hub.connect("/api/v1/lines")];
    await hub.readers(2);
    await events.until("\r\n\r\n");
    await hub.clock.turn(99);
    expect(lines.text()).toBe("");
    await hub.clock.turn(1);
    expect(await lines.until("\r\n\r\n")).toContain("200 OK");
    hub.send({ a: 1 });
    hub.end();
    expect(unchunk(await lines.until("0\r\n\r\n"))).toContain('\n{"item":{"a":1}}\n');
  });

  test("a caller who goes before the first line is forgotten", async () => {
    const hub = await openStream();
    const raw = hub.connect("/api/v1/lines");
    await hub.readers(1);
    raw.socket.destroy();
    await hub.readers(0);
    await expect.poll(() => hub.facts).toMatchObject([{ endpoint: "lines", status: 499 }]);
    expect(hub.clock.waiting).toBe(0);
  });
});

test.each<[header: string | undefined, query: string, input: object]>([
  [undefined, "", {}],
  ["41", "", { after: 41 }],
  [undefined, "?after=3", { after: 3 }],
  ["41", "?after=3", { after: 41 }],
  ["0", "", { after: 0 }],
  ["", "", {}],
  ["-1", "", {}],
  ["1e3", "", {}],
  ["0x10", "?after=3", { after: 3 }],
  ["1".repeat(16), "", {}],
  ["drop table", "", {}],
])("a reader that has seen %j and asks %j goes on at %j", async (header, query, input) => {
  const hub = await openStream();
  hub.connect(sse + query, header === undefined ? {} : { "last-event-id": header });
  await hub.readers(1);
  expect(hub.inputs).toEqual([input]);
});

describe("heartbeats", () => {
  const beats = (raw: Raw) => unchunk(raw.text()).split(":\n\n").length - 1;

  test("come every 15 s, on a busy stream too", async () => {
    const hub = await openStream();
    const raw = hub.connect(sse);
    await hub.readers(1);
    for (let round = 1; round <= 3; round++) {
      await hub.clock.turn(14_999);
      hub.send(eventOf(round));
      await raw.until(`id: ${round}\n`);
      await hub.clock.turn(1);
      await expect.poll(() => beats(raw)).toBe(round + 1);
    }
    expect(hub.shown).toHaveLength(1);
    expect(hub.recalled).toHaveLength(3);
  });

  test.each<[what: string, change: (hub: Awaited<ReturnType<typeof openStream>>) => void]>([
    ["has signed out", (hub) => hub.callers.delete("viewer")],
    [
      "has got another role",
      (hub) =>
        hub.callers.set("viewer", {
          kind: "user",
          userId: "u",
          name: "v",
          role: "admin",
          session: { id: "s", kind: "client" },
        }),
    ],
    [
      "is somebody else",
      (hub) => hub.callers.set("viewer", { kind: "token", tokenId: "tok_1", name: "ci", role: "viewer" }),
    ],
  ])("end the stream of who %s, however busy", async (_what, change) => {
    const hub = await openStream();
    const [events, lines] = [
      hub.connect(sse, { connection: "close" }),
      hub.connect("/api/v1/lines", { connection: "close" }),
    ];
    await hub.readers(2);
    change(hub);
    await hub.clock.turn(14_999);
    hub.send(eventOf(1));
    await Promise.all([events.until("id: 1"), lines.until('"sequence":1')]);
    await hub.clock.turn(1);
    await hub.readers(1);
    // Its heartbeats count from its head.
    await hub.clock.turn(100);
    expect(await lines.closed).toContain('{"problem":{"type":"urn:fed:fault:unauthenticated"');
    expect((await events.closed).endsWith("\r\n0\r\n\r\n")).toBe(true);
    await hub.readers(0);
    expect(hub.clock.waiting).toBe(0);
  });
});

test("a heartbeat that cannot look whether the caller may go on ends the stream, not the hub", async () => {
  const entries: TraceEntry[] = [];
  const hub = await openStream({
    trace: makeTrace(
      () => 0,
      "warn",
      (entry) => entries.push(entry),
    ),
    beforeRecall() {
      throw new Fault("unreachable", "cannot use the database /srv/control.db: the disk failed");
    },
  });
  const [events, lines] = [
    hub.connect(sse, { connection: "close" }),
    hub.connect("/api/v1/lines", { connection: "close" }),
  ];
  await hub.readers(2);
  await hub.clock.turn(15_100);
  expect((await events.closed).endsWith("\r\n0\r\n\r\n")).toBe(true);
  expect(await lines.closed).toContain('"code":"unreachable"');
  expect(lines.text()).not.toContain("/srv");
  await hub.readers(0);
  expect(entries.map(({ facts }) => facts)).toEqual(
    Array(2).fill({ reason: "cannot use the database /srv/control.db: the disk failed" }),
  );
  expect((await hub.get("/health")).status).toBe(200);
  expect(hub.clock.waiting).toBe(0);
});

describe("a slow reader", () => {
  test("is cut off after 10 s, keeps nothing waiting, and goes on where it was", async () => {
    const hub = await openStream();
    const slow = hub.connect(sse);
    await hub.readers(1);
    slow.socket.pause();
    const text = "x".repeat(500_000);
    for (let sequence = 1; sequence <= 40; sequence++) hub.send(eventOf(sequence, text));
    // The heartbeat's, and the one that is for the reader.
    await expect.poll(() => hub.clock.waiting).toBe(2);
    await hub.clock.turn(9_999);
    await hub.readers(1);
    await hub.clock.turn(1);
    await hub.readers(0);
    expect(hub.clock.waiting).toBe(0);
    slow.socket.resume();
    await slow.closed;
    const last = [...slow.text().matchAll(/id: (\d+)\n/g)].at(-1)?.[1] ?? "";
    expect(Number(last)).toBeLessThan(40);
    hub.connect(sse, { "last-event-id": last });
    await hub.readers(1);
    expect(hub.inputs.at(-1)).toEqual({ after: Number(last) });
  });

  test("that takes something in time is kept", async () => {
    const hub = await openStream();
    const slow = hub.connect(sse);
    await hub.readers(1);
    slow.socket.pause();
    const text = "x".repeat(500_000);
    for (let sequence = 1; sequence <= 40; sequence++) hub.send(eventOf(sequence, text));
    await expect.poll(() => hub.clock.waiting).toBe(2);
    await hub.clock.turn(9_000);
    slow.socket.resume();
    await slow.until("id: 40\n");
    await hub.clock.turn(9_000);
    await hub.readers(1);
  });
});

describe("the most streams", () => {
  test("of one caller, and of all", async () => {
    const hub = await openStream({ limits: { streams: 3, streamsOfOne: 2 } });
    const get = (who: string) => hub.get(sse, { headers: { authorization: `Bearer ${who}` } });
    const [first] = await Promise.all([get("viewer"), get("viewer")]);
    const third = await get("viewer");
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toBe("5");
    expect(await third.json()).toMatchObject({ code: "limited", detail: expect.stringContaining("you have 2") });
    await get("admin");
    expect(await (await get("local")).json()).toMatchObject({ detail: expect.stringContaining("the hub has 3") });
    await first?.body?.cancel();
    await hub.readers(2);
    expect((await get("viewer")).status).toBe(200);
    await hub.readers(3);
  });
});

test("a reader that has gone is forgotten at once", async () => {
  const hub = await openStream();
  const raw = hub.connect(sse);
  await hub.readers(1);
  raw.socket.destroy();
  await hub.readers(0);
  expect(hub.clock.waiting).toBe(0);
});

test("a stream is counted when it begins, and once", async () => {
  const hub = await openStream();
  const raw = hub.connect(sse);
  await hub.readers(1);
  expect(hub.facts).toMatchObject([{ endpoint: "stream", method: "GET", status: 200 }]);
  raw.socket.destroy();
  await hub.readers(0);
  await hub.get("/health");
  await expect.poll(() => hub.facts.map(({ endpoint }) => endpoint)).toEqual(["stream", "health"]);
});

test("closing ends streams at once, and tells a stream of lines why", async () => {
  const hub = await openStream();
  const [events, lines] = [hub.connect(sse), hub.connect("/api/v1/lines")];
  await hub.readers(2);
  await hub.close();
  expect((await events.closed).endsWith("\r\n0\r\n\r\n")).toBe(true);
  expect(await lines.closed).toContain('"code":"unreachable","hint":"Try again in a moment."');
  expect(hub.clock.waiting).toBe(0);
});

test("items that do not listen to their signal hold nothing up", async () => {
  const deaf = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
  const hub = await openStream({ handlers: { stream: deaf } });
  const raw = hub.connect(sse);
  await raw.until(":\n\n");
  await hub.close();
  await raw.closed;
});
