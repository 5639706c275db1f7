import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { delayAfter, forgetMs, makeThrottle, mostKeys, rules, type Throttle } from "./throttle.ts";

const home = "192.0.2.1";

/** Seconds to wait that an attempt is answered with; 0 when it may be made, and then it failed. */
function tryOne(throttle: Throttle, tickMs: number, account = "ada", address = home): number {
  try {
    throttle.begin(account, address, tickMs);
    return 0;
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "limited") throw thrown;
    const { retryAfterSeconds } = thrown.details as { readonly retryAfterSeconds: number };
    expect(thrown.hint).toBe(`Try again in ${retryAfterSeconds} s.`);
    return retryAfterSeconds;
  }
}

/** How many of so many attempts at once may be made. */
const allowed = (count: number, one: (n: number) => number) =>
  Array.from({ length: count }, (_, n) => one(n)).filter((waitSeconds) => waitSeconds === 0).length;

/** Makes an attempt as soon as it may be made, again and again; how long each had to wait. */
function tryAndWait(count: number, one: (tickMs: number, n: number) => number): number[] {
  let tickMs = 0;
  return Array.from({ length: count }, (_, n) => {
    let waitedSeconds = 0;
    for (let wait = one(tickMs, n); wait > 0; wait = one(tickMs, n)) {
      waitedSeconds += wait;
      tickMs += wait * 1_000;
    }
    return waitedSeconds;
  });
}

describe("the delay", () => {
  test.each(Object.entries(rules))("of %s is none while it is free, doubles, and has an end", (_name, rule) => {
    expect(delayAfter(0, rule)).toBe(0);
    expect(delayAfter(rule.free - 1, rule)).toBe(0);
    expect(delayAfter(rule.free, rule)).toBe(1_000);
    expect(delayAfter(rule.free + 1, rule)).toBe(2_000);
    expect(delayAfter(rule.free + 2, rule)).toBe(4_000);
    expect(delayAfter(rule.free + 20, rule)).toBe(rule.longestMs);
    expect(delayAfter(Number.MAX_SAFE_INTEGER, rule)).toBe(rule.longestMs);
  });

  test("one who guesses from one place waits longer each time", () => {
    const throttle = makeThrottle();
    const waits = tryAndWait(20, (tickMs) => tryOne(throttle, tickMs));
    const doubling = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    expect(waits).toEqual([...Array<number>(rules.pair.free).fill(0), ...doubling, ...Array<number>(5).fill(900)]);
  });

  test("one who tries a password on many accounts is slowed down by the address", () => {
    const throttle = makeThrottle();
    const waits = tryAndWait(33, (tickMs, n) => tryOne(throttle, tickMs, `user${n}`));
    expect(waits).toEqual([...Array<number>(rules.address.free).fill(0), 1, 2, 4]);
    expect(tryOne(throttle, 0, "grace", "192.0.2.2")).toBe(0);
  });

  test("an account that is guessed from everywhere stays within reach of its owner", () => {
    const throttle = makeThrottle();
    const waits = tryAndWait(200, (tickMs, n) => tryOne(throttle, tickMs, "ada", `198.51.100.${n}`));
    expect(waits.slice(0, rules.account.free)).toEqual(Array<number>(rules.account.free).fill(0));
    expect(waits.slice(rules.account.free + 3)).toEqual(Array<number>(200 - rules.account.free - 3).fill(5));
  });

  test("an attempt that was sent away does not count", () => {
    const throttle = makeThrottle();
    allowed(rules.pair.free, () => tryOne(throttle, 0));
    for (let n = 0; n < 100; n++) expect(tryOne(throttle, 999)).toBe(1);
    expect(tryOne(throttle, 1_000)).toBe(0);
    expect(tryOne(throttle, 1_000)).toBe(2);
  });
});

test("who signed in from somewhere before does not wait there because others guess elsewhere", () => {
  const throttle = makeThrottle();
  throttle.begin("ada", home, 0).succeeded();
  for (let n = 0; n < rules.account.free; n++) tryOne(throttle, 0, "ada", `198.51.100.${n}`);
  expect(tryOne(throttle, 0, "ada", "203.0.113.1")).toBe(1);
  expect(allowed(100, () => tryOne(throttle, 0))).toBe(rules.pair.free);
  expect(tryOne(throttle, 0, "grace", home)).toBe(0);
});

describe("who is the same", () => {
  const many = rules.pair.free + 20;

  test("upper and lower case are one account, and names that nobody has count too", () => {
    const throttle = makeThrottle();
    const spellings = ["ada", "Ada", "ADA", "aDa"];
    expect(allowed(many, (n) => tryOne(throttle, 0, spellings[n % 4]))).toBe(rules.pair.free);
    expect(allowed(many, () => tryOne(throttle, 0, "no such user"))).toBe(rules.pair.free);
  });

  test("names and addresses that run together are told apart", () => {
    const throttle = makeThrottle();
    expect(allowed(many, () => tryOne(throttle, 0, 'a","b', "c"))).toBe(rules.pair.free);
    expect(tryOne(throttle, 0, "a", 'b","c')).toBe(0);
    expect(tryOne(throttle, 0, `address ${home}`, "account ada")).toBe(0);
  });

  test.each<[what: string, one: string, other: string, same: boolean]>([
    ["two addresses of IPv4", "192.0.2.1", "192.0.2.2", false],
    ["two of one network of IPv6", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true],
    ["two spellings of it", "2001:db8:1:2::1", "2001:0DB8:0001:2:0:0:0:9", true],
    ["one that begins with none", "::1", "0:0:0:0::2", true],
    ["one with a gap in the network", "2001:db8::1", "2001:db8:0:0:1::", true],
    ["one with the name of a link", "fe80::1%eth0", "fe80::2%eth1", true],
    ["one that ends like IPv4", "64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", true],
    ["two networks", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["two networks, one with a gap", "2001:db8::1", "2001:db8:0:1::1", false],
  ])("%s", (_what, one, other, same) => {
    const throttle = makeThrottle();
    allowed(rules.pair.free, () => tryOne(throttle, 0, "ada", one));
    expect(tryOne(throttle, 0, "ada", other)).toBe(same ? 1 : 0);
  });
});

describe("what is forgotten", () => {
  test("the right password clears the account, here and everywhere, but not the address", () => {
    const throttle = makeThrottle();
    for (let n = 0; n < rules.account.free; n++) tryOne(throttle, 0, "ada", `198.51.100.${n}`);
    expect(tryOne(throttle, 0)).toBe(1);
    throttle.begin("ada", home, 1_000).succeeded();
    expect(allowed(100, (n) => tryOne(throttle, 1_000, "ada", `203.0.113.${n}`))).toBe(rules.account.free);

    const other = makeThrottle();
    for (let n = 1; n < rules.address.free; n++) tryOne(other, 0, `user${n}`);
    for (let n = 0; n < 100; n++) other.begin("mallory", home, 0).succeeded();
    expect(allowed(100, (n) => tryOne(other, 0, `more${n}`))).toBe(1);
  });

  test("an attempt whose password was never looked at leaves nothing behind", () => {
    const throttle = makeThrottle();
    for (let n = 0; n < 1_000; n++) throttle.begin("ada", home, 0).abandoned();
    expect(allowed(100, () => tryOne(throttle, 0))).toBe(rules.pair.free);
    throttle.begin("ada", home, 1_000).abandoned();
    expect(tryOne(throttle, 1_000), "nor does the next one wait for it").toBe(0);
  });

  test("an hour without a failure, and all is as it was; a minute less, and nothing is", () => {
    const throttle = makeThrottle();
    const last = rules.pair.free + 3;
    tryAndWait(last, (tickMs) => tryOne(throttle, tickMs));
    const sinceMs = 1_000 + 2_000 + 4_000;
    expect(throttle.begin("ada", home, sinceMs + forgetMs - 1).failures).toBe(last + 1);
    const again = sinceMs + forgetMs - 1 + forgetMs;
    expect(allowed(100, () => tryOne(throttle, again))).toBe(rules.pair.free);
  });

  test("it is bounded: the account that was tried longest ago makes room", () => {
    const throttle = makeThrottle();
    allowed(rules.pair.free, () => tryOne(throttle, 0, "first", "203.0.113.1"));
    // Each attempt of another account from another address keeps three counts.
    const fits = Math.floor(mostKeys / 3) - 1;
    const others = (from: number, to: number) => {
      for (let n = from; n < to; n++) tryOne(throttle, 0, `user${n}`, `10.0.${n >> 8}.${n & 255}`);
    };
    others(0, fits);
    expect(tryOne(throttle, 0, "first", "203.0.113.1")).toBe(1);
    others(fits, fits + 5);
    expect(tryOne(throttle, 0, "first", "203.0.113.1")).toBe(0);
  });
});

/** A plain count of what may be guessed at most: so many are free, then each waits for what came before. */
function mostGuesses(overMs: number, free: number, longestMs: number): number {
  let guesses = free;
  for (let spentMs = 0; ; guesses++) {
    spentMs += Math.min(longestMs, 1_000 * 2 ** (guesses - free));
    if (spentMs > overMs) return guesses;
  }
}

test("however attempts are timed, begun at once, abandoned or ended late, no more get through than the rules allow", () => {
  const deed = fc.record({
    account: fc.constantFrom("ada", "ADA", "grace"),
    address: fc.constantFrom(home, "2001:db8::1", "2001:db8::2"),
    waitMs: fc.oneof({ arbitrary: fc.constant(0), weight: 40 }, fc.integer({ min: 1, max: 10_000 })),
    isAbandoned: fc.constantFrom(false, false, false, true),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 300, size: "max" }), fc.nat(5), (deeds, keepOpen) => {
      const throttle = makeThrottle();
      const looked = new Map<string, number>();
      const open: (() => void)[] = [];
      let tickMs = 0;
      for (const { account, address, waitMs, isAbandoned } of deeds) {
        tickMs += waitMs;
        try {
          const attempt = throttle.begin(account, address, tickMs);
          if (isAbandoned) open.push(attempt.abandoned);
          else {
            const pair = `${account.toLowerCase()} ${address.slice(0, 4)}`;
            looked.set(pair, (looked.get(pair) ?? 0) + 1);
          }
        } catch {
          // Sent away.
        }
        if (open.length > keepOpen) open.shift()?.();
      }
      const most = mostGuesses(tickMs, rules.pair.free, rules.pair.longestMs);
      for (const guesses of looked.values()) expect(guesses).toBeLessThanOrEqual(most);
      const total = [...looked.values()].reduce((sum, one) => sum + one, 0);
      expect(total).toBeLessThanOrEqual(2 * mostGuesses(tickMs, rules.address.free, rules.address.longestMs));
    }),
    { numRuns: 200 },
  );
});
