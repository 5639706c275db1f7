import { describe, expect, test } from "vitest";
import type { FedEvent } from "#wire/event.ts";
import { makeDesk } from "../command.scene.ts";
import { type Asked, gives, refuses } from "../hub.scene.ts";

/** A log of so many events, a second apart, the newest now. */
function logOf(count: number) {
  const nowMs = Date.now();
  const events = Array.from({ length: count }, (_, index): FedEvent => {
    const sequence = count - index;
    const more = { actor: "hub", correlation: "cor_1", hash: "h" };
    return { sequence, atMs: nowMs - index * 1_000, type: "user.disabled", subject: "user:ada", data: {}, ...more };
  });
  const page = ({ query }: Asked) => {
    const before = Number(query.get("before") ?? Number.MAX_SAFE_INTEGER);
    const limit = Number(query.get("limit"));
    expect(limit).toBeLessThanOrEqual(1_000);
    const since = Number(query.get("sinceMs") ?? 0);
    const found = events.filter(({ sequence, atMs }) => sequence < before && atMs >= since);
    const last = found[limit - 1];
    return gives({ events: found.slice(0, limit), ...(found.length > limit && last ? { more: last.sequence } : {}) });
  };
  return makeDesk({ "/api/v1/events": page });
}

const sequences = (out: string) =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as FedEvent).sequence);

const upTo = (last: number, count: number) => Array.from({ length: count }, (_, index) => last - count + 1 + index);

describe("how many", () => {
  test.each([
    [[], upTo(2_500, 50), 1],
    [["-n", "3"], upTo(2_500, 3), 1],
    [["--limit", "1500"], upTo(2_500, 1_500), 2],
    [["--since", "1d"], upTo(2_500, 2_500), 3],
    [["--since", "10m"], upTo(2_500, 600), 1],
  ] as const)("%j", async (words, expected, pages) => {
    const desk = await logOf(2_500);
    const { code, out, err } = await desk.fed("events", "--json", ...words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    // The newest event may have become a second older meanwhile.
    expect(Math.abs(sequences(out).length - expected.length)).toBeLessThanOrEqual(words[1] === "10m" ? 2 : 0);
    expect(sequences(out).at(-1)).toBe(2_500);
    expect(sequences(out)).toEqual(upTo(2_500, sequences(out).length));
    expect(desk.hub.asked).toHaveLength(pages);
  });

  test("what --limit leaves out since then is said", async () => {
    const desk = await logOf(10);
    expect((await desk.fed("events", "--since", "1h", "-n", "4")).err).toBe(
      "not all: these are the newest 4 since 1h; leave --limit out for all\n",
    );
    expect((await desk.fed("events", "--since", "1h", "-n", "10")).err).toBe("");
    expect((await desk.fed("events", "-n", "4")).err).toBe("");
  });
});

test("a time that is none is refused before anybody is asked", async () => {
  const desk = await logOf(1);
  expect(await desk.fed("events", "--since", "7")).toMatchObject({ code: 2, err: expect.stringContaining("7d?") });
  expect(desk.hub.asked).toEqual([]);
});

describe("what this version does not know, of a newer hub or left by one", () => {
  const base = { sequence: 1, atMs: 0, actor: "hub", subject: "machine:a", correlation: "c", hash: "h" };
  const known = { ...base, type: "machine.removed", data: {} };
  const strange = { ...base, sequence: 2, type: "machine.shook", data: { magnitude: 3.5 } };
  const changed = { ...base, sequence: 3, type: "machine.added", data: { kind: "router", ports: 8 } };

  test("is listed as it is, among all others", async () => {
    const desk = await makeDesk({ "/api/v1/events": () => gives({ events: [changed, strange, known] }) });
    const { code, out, err } = await desk.fed("events");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(
      /machine\.removed .*\n.*machine\.shook .* magnitude=3\.5\n.*machine\.added .* kind=router {2}ports=8\n$/,
    );
    const { out: json } = await desk.fed("events", "--json");
    expect(
      json
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([known, strange, changed]);
  });

  test("is followed over", async () => {
    const items = [strange, known].map((event) => ({ kind: "event", event }));
    const frames = items.map((item) => `data: ${JSON.stringify(item)}\n\n`).join("");
    const desk = await makeDesk({
      "/api/v1/events": () => gives({ events: [] }),
      "/api/v1/events/stream": ({ query }) =>
        query.get("after") === "0"
          ? (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end(frames)
          : refuses("missing", "that is all"),
    });
    const { out, err } = await desk.fed("events", "--follow", "--json");
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([strange, known]);
    expect(err).toContain("that is all");
  });

  test("what is no event at all is a fault", async () => {
    const { hash: _, ...torn } = known;
    const desk = await makeDesk({ "/api/v1/events": () => gives({ events: [torn] }) });
    expect(await desk.fed("events")).toMatchObject({ code: 1, out: "", err: expect.stringContaining("another shape") });
  });
});

test("filters are handed on, and no event is a word", async () => {
  const desk = await logOf(0);
  const said = await desk.fed("events", "--type", "user.", "--type", "machine.changed", "--subject", "user:ada");
  expect(said).toEqual({ code: 0, out: "", err: "nothing has happened that fits\n" });
  const [asked] = desk.hub.asked;
  expect([asked?.query.get("type"), asked?.query.get("subject")]).toEqual(["user.,machine.changed", "user:ada"]);
  expect((await desk.fed("events", "--json")).out).toBe("");
});

const hash = "9f".repeat(32);
const sound = { kind: "sound", events: 3, first: 1, last: 3, base: "", head: hash } as const;

describe("verify", () => {
  test.each([
    [
      sound,
      0,
      `sound 3 events, 1 to 3: none was changed, removed or put in\nbase 0 (nothing was dropped)\nhead 3:${hash}\n`,
    ],
    [
      { ...sound, events: 1, first: 3, base: hash },
      0,
      `sound 1 event, 3 to 3: none was changed, removed or put in\nbase 2:${hash}\nhead 3:${hash}\n`,
    ],
    [{ kind: "broken", sequence: 2, reason: "it was changed" }, 5, "broken at event 2: it was changed\n"],
    [{ kind: "parted", sequence: 2, reason: "event 2 is missing" }, 1, "parted event 2 is missing\n"],
  ] as const)("tells %j", async (verdict, code, out) => {
    const desk = await makeDesk({ "/api/v1/events/verify": () => gives(verdict) });
    expect(await desk.fed("events", "verify")).toEqual({ code, out, err: "" });
    const data = await desk.fed("events", "verify", "--json");
    expect([data.code, JSON.parse(data.out)]).toEqual([code, verdict]);
  });

  test("asks for the head that was noted, and says that it is kept", async () => {
    const desk = await makeDesk({ "/api/v1/events/verify": () => gives(sound) });
    const noted = `2:${hash}`;
    expect((await desk.fed("events", "verify", "--head", noted)).out).toContain("\nkept event 2 is the noted one\n");
    expect(desk.hub.asked[0]?.query.get("head")).toBe(noted);
    await desk.fed("events", "verify");
    expect(desk.hub.asked[1]?.query.has("head")).toBe(false);
  });

  test.each([hash, "2:", `2:${hash.slice(1)}`, `2:${hash} `])("a head such as %j is none", async (noted) => {
    const desk = await makeDesk({});
    expect(await desk.fed("events", "verify", "--head", noted)).toMatchObject({
      ...{ code: 2, out: "", err: expect.stringContaining("the number, a colon") },
    });
    expect(desk.hub.asked).toEqual([]);
  });
});
