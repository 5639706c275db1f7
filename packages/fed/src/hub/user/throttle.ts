import { isIPv6 } from "node:net";
import { Fault } from "#base/fault.ts";

/**
 * Slows down whoever guesses passwords. Three counts, because each alone can be turned against somebody:
 * - of an account at one address, strict: one who guesses from one place;
 * - of an address, over all accounts: one who tries one password on many;
 * - of an account over all addresses, mild: many machines that guess one account. Its delays stay short, and an address
 *   from which the account was signed in to before does not wait for it, so that nobody can lock its owner out by
 *   guessing from elsewhere.
 * Names that nobody has are counted the same, so that being slowed down does not tell which accounts exist.
 */
interface Rule {
  /** So many failures cost nothing. */
  readonly free: number;
  readonly longestMs: number;
}

export const rules = {
  pair: { free: 5, longestMs: 15 * 60_000 },
  address: { free: 30, longestMs: 15 * 60_000 },
  account: { free: 50, longestMs: 5_000 },
} as const satisfies Record<string, Rule>;

const ruleNames = Object.keys(rules) as readonly (keyof typeof rules)[];
const firstMs = 1_000;
/** So long without a failure, and it is forgotten. */
export const forgetMs = 60 * 60_000;
export const mostKeys = 10_000;

interface Count {
  readonly failures: number;
  readonly lastMs: number;
}

export interface Attempt {
  /** Failures of this account at this address, this one included. */
  readonly failures: number;
  /** It was the right password: what was counted against the account is forgotten. */
  succeeded(): void;
  /** The password was never looked at: this one does not count. */
  abandoned(): void;
}

export interface Throttle {
  /**
   * Counts an attempt as failed before its password is looked at, so that many at once do not slip through. Fault
   * `limited` while one of the counts says wait; such an attempt is not counted. `tickMs` is of a clock that never goes
   * back.
   */
  begin(account: string, address: string, tickMs: number): Attempt;
}

export function makeThrottle(): Throttle {
  const counts = openCounts();
  const signedIn = new Set<string>();
  return {
    begin(account, address, tickMs) {
      const name = account.toLowerCase();
      const network = networkOf(address);
      const keys = {
        pair: JSON.stringify([name, network]),
        address: `address ${network}`,
        account: `account ${name}`,
      };
      const asked = ruleNames.filter((rule) => rule !== "account" || !signedIn.has(keys.pair));
      const waitMs = Math.max(
        ...asked.map((rule) => {
          const { failures, lastMs } = counts.read(keys[rule], tickMs);
          return lastMs + delayAfter(failures, rules[rule]) - tickMs;
        }),
      );
      if (waitMs > 0) throw tooMany(waitMs);
      const undo = {
        pair: counts.add(keys.pair, tickMs),
        address: counts.add(keys.address, tickMs),
        account: counts.add(keys.account, tickMs),
      };
      const { failures } = counts.read(keys.pair, tickMs);
      return {
        failures,
        succeeded() {
          counts.forget(keys.pair);
          counts.forget(keys.account);
          undo.address();
          signedIn.delete(keys.pair);
          signedIn.add(keys.pair);
          if (signedIn.size > mostKeys) signedIn.delete(signedIn.keys().next().value ?? "");
        },
        abandoned() {
          for (const rule of ruleNames) undo[rule]();
        },
      };
    },
  };
}

/** Failures by key; the key that was written longest ago makes room for a new one. */
function openCounts() {
  const counts = new Map<string, Count>();
  const read = (key: string, tickMs: number): Count => {
    const known = counts.get(key);
    return known && tickMs - known.lastMs < forgetMs ? known : { failures: 0, lastMs: 0 };
  };
  const put = (key: string, count: Count) => {
    counts.delete(key);
    if (count.failures <= 0) return;
    counts.set(key, count);
    if (counts.size > mostKeys) counts.delete(counts.keys().next().value ?? "");
  };
  return {
    read,
    /** One more; the returned function takes it back, and nobody waits for it any more. */
    add(key: string, tickMs: number): () => void {
      const before = read(key, tickMs);
      const after = { failures: before.failures + 1, lastMs: Math.max(before.lastMs, tickMs) };
      put(key, after);
      return () => {
        const now = counts.get(key);
        if (now) put(key, now === after ? before : { ...now, failures: now.failures - 1 });
      };
    },
    forget: (key: string) => void counts.delete(key),
  };
}

/** Whoever has one address of IPv6 has 2^64 of them: the network counts. */
function networkOf(address: string): string {
  const [plain = ""] = address.split("%");
  if (!isIPv6(plain)) return address;
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** How long after the last of so many failures the next attempt may come. */
export function delayAfter(failures: number, { free, longestMs }: Rule): number {
  return failures < free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(40, failures - free));
}

function tooMany(waitMs: number): Fault {
  const retryAfterSeconds = Math.ceil(waitMs / 1_000);
  return new Fault("limited", "too many attempts to sign in", {
    hint: `Try again in ${retryAfterSeconds} s.`,
    details: { retryAfterSeconds },
  });
}
