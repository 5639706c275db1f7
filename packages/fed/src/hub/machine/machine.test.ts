import fc from "fast-check";
import { expect, test } from "vitest";
import { answered, facts, server, silent, workstation } from "./machine.scene.ts";
import {
  factsAfter,
  isSame,
  type Look,
  lookedAt,
  missedToGone,
  neverSeen,
  type Observed,
  targetOf,
} from "./machine.ts";

const kinds = fc.constantFrom("server" as const, "workstation" as const);
const looks: fc.Arbitrary<readonly { readonly look: Look; readonly afterMs: number }[]> = fc.array(
  fc.record({ look: fc.constantFrom(answered, silent), afterMs: fc.nat(60_000) }),
  { maxLength: 40 },
);

/** Every state it was in, the first one before any look. */
function live(kind: "server" | "workstation", all: readonly { readonly look: Look; readonly afterMs: number }[]) {
  const states: Observed[] = [neverSeen(0)];
  let nowMs = 0;
  for (const { look, afterMs } of all) {
    nowMs += afterMs;
    states.push(lookedAt(states.at(-1) ?? neverSeen(0), kind, look, nowMs));
  }
  return states;
}

test("whatever the looks were: it is there when it answered within the last three, and else not", () => {
  fc.assert(
    fc.property(kinds, looks, (kind, all) => {
      const gone = kind === "server" ? "offline" : "away";
      const last = live(kind, all).at(-1);
      const silentAtEnd = all.length - 1 - all.findLastIndex(({ look }) => look.kind === "answered");
      const neverAnswered = silentAtEnd === all.length;
      expect(last?.missed).toBe(silentAtEnd);
      expect(last?.state).toBe(silentAtEnd >= missedToGone ? gone : neverAnswered ? "unknown" : "online");
      expect(last?.latencyMs).toBe(last?.state === "online" ? 3 : undefined);
    }),
  );
});

test("whatever the looks were: `since` is when the state changed, `seen` when it answered last", () => {
  fc.assert(
    fc.property(kinds, looks, (kind, all) => {
      const states = live(kind, all);
      let [nowMs, sinceMs] = [0, 0];
      let seenMs: number | undefined;
      all.forEach(({ look, afterMs }, at) => {
        nowMs += afterMs;
        const [before, after] = [states[at], states[at + 1]];
        if (before?.state !== after?.state) sinceMs = nowMs;
        if (look.kind === "answered") seenMs = nowMs;
        expect(after).toMatchObject({ sinceMs });
        expect(after?.seenMs).toBe(seenMs);
        expect(after?.detail).toBe(look.kind === "answered" ? "" : silent.reason);
      });
    }),
  );
});

test("one look or two without an answer change nothing, the third does, and so does the first answer after", () => {
  const states = live(
    "server",
    [answered, silent, silent, answered, silent, silent, silent, silent, answered].map((look) => ({
      look,
      afterMs: 1,
    })),
  );
  const online = Array.from({ length: 6 }, () => "online");
  expect(states.map(({ state }) => state)).toEqual(["unknown", ...online, "offline", "offline", "online"]);
});

test.each([
  [server("local"), { kind: "here" }],
  [server("node5"), { kind: "tcp", host: "node5", port: 22 }],
  [
    { ...server("node5"), port: 2222 },
    { kind: "tcp", host: "node5", port: 2222 },
  ],
  [{ kind: "workstation", tailscale: "mbp" } as const, { kind: "tcp", host: "mbp", port: 22 }],
  [
    { ...workstation("10.0.0.9"), tailscale: "mbp" },
    { kind: "tcp", host: "10.0.0.9", port: 22 },
  ],
])("%j is looked at where it is", (machine, target) => {
  expect(targetOf(machine)).toEqual(target);
});

test("what was seen of a machine holds for the same kind at the same place, whatever else is said of it", () => {
  const before = server("node5");
  expect(isSame(before, { ...before, port: 22, user: "ada", labels: { gpu: "none" } })).toBe(true);
  expect(isSame(before, server("node6"))).toBe(false);
  expect(isSame(before, { ...before, port: 23 })).toBe(false);
  expect(isSame(before, workstation("node5"))).toBe(false);
});

test("facts are news when they say something new: a start told a second later is the same one", () => {
  expect(factsAfter(undefined, undefined)).toBeUndefined();
  expect(factsAfter(undefined, facts)).toBe(facts);
  expect(factsAfter(facts, undefined)).toBe(facts);
  for (const offMs of [-5_000, -1_000, 0, 1_000, 5_000]) {
    expect(factsAfter(facts, { ...facts, bootedMs: facts.bootedMs + offMs })).toBe(facts);
  }
  const restarted = { ...facts, bootedMs: facts.bootedMs + 5_001 };
  expect(factsAfter(facts, restarted)).toBe(restarted);
  fc.assert(
    fc.property(fc.constantFrom("hostname", "os", "kernel", "architecture"), fc.string(), (key, text) => {
      const said = { ...facts, [key]: text };
      expect(factsAfter(facts, said)).toBe(text === facts[key as "os"] ? facts : said);
    }),
  );
});
