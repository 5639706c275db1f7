import { Fault } from "#base/fault.ts";

/**
 * Slows down whoever guesses passwords. Three counts, because each alone can be turned against somebody:
 * - of an account at one address, strict: one who guesses from one place;
 * - of an address, over all accounts: one who tries one password on many;
 * - of an account over all addresses, mild: many machines that guess one account. Its delays stay short, so that nobody
 *   can lock its owner out by guessing from elsewhere.
 */
interface Rule {
  /** So many failures cost nothing. */
  readonly free: number;
  readonly longestMs: number;
}

const rules = {
  pair: { free: 5, longestMs: 15 * 60_000 },
  address: { free: 30, longestMs: 15 * 60_000 },
  account: { free: 50, longestMs: 5_000 },
} as const satisfies Record<string, Rule>;

const firstMs = 1_000;
/** So long without a failure, and it is forgotten. */
const forgetMs = 60 * 60_000;
const mostKeys = 10_000;

interface Count {
  readonly failures: number;
  readonly lastMs: number;
}

export interface Attempt {
  /** Failures of this account at this address, this one included. */
  readonly failures: number;
  /** A new step of the delay was reached: worth a line in the log. */
  readonly step: boolean;
  /** It was the right password: what was counted against the account is forgotten. */
  succeeded(): void;
}

export interface Throttle {
  /**
   * Counts an attempt as failed before its password is looked at, so that many at once do not slip through. Fault
   * `limited` while one of the counts says wait; such an attempt is not counted.
   */
  begin(account: string, address: string, nowMs: number): Attempt;
}

export function makeThrottle(): Throttle {
  const counts = new Map<string, Count>();

  const read = (key: string, nowMs: number): Count => {
    const known = counts.get(key);
    return known && nowMs - known.lastMs < forgetMs ? known : { failures: 0, lastMs: 0 };
  };
  const write = (key: string, count: Count) => {
    counts.delete(key);
    counts.set(key, count);
    if (counts.size > mostKeys) counts.delete(counts.keys().next().value ?? "");
  };

  return {
    begin(account, address, nowMs) {
      const name = account.toLowerCase();
      const keys = {
        pair: JSON.stringify([name, address]),
        address: `address ${address}`,
        account: `account ${name}`,
      };
      const waitMs = Math.max(
        ...(Object.keys(rules) as (keyof typeof rules)[]).map((rule) => {
          const { failures, lastMs } = read(keys[rule], nowMs);
          return lastMs + delayAfter(failures, rules[rule]) - nowMs;
        }),
      );
      if (waitMs > 0) {
        const retryAfterSeconds = Math.ceil(waitMs / 1_000);
        throw new Fault("limited", "too many attempts to sign in", {
          hint: `Try again in ${retryAfterSeconds} s.`,
          details: { retryAfterSeconds },
        });
      }
      for (const key of Object.values(keys)) write(key, { failures: read(key, nowMs).failures + 1, lastMs: nowMs });
      const { failures } = read(keys.pair, nowMs);
      return {
        failures,
        step: failures === 1 || failures >= rules.pair.free,
        succeeded() {
          counts.delete(keys.pair);
          counts.delete(keys.account);
          const spent = counts.get(keys.address);
          if (spent) write(keys.address, { ...spent, failures: Math.max(0, spent.failures - 1) });
        },
      };
    },
  };
}

function delayAfter(failures: number, { free, longestMs }: Rule): number {
  return failures < free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(40, failures - free));
}
