import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Access } from "#wire/role.ts";

/** So many at once, then so many a minute. */
interface Rule {
  readonly atOnce: number;
  readonly aMinute: number;
}

/**
 * What is done through these rules stays in the log: whoever may only look must not push out what it says of others. At ten
 * a minute that takes a month of the log's million lines.
 */
export const deedRules = {
  others: { atOnce: 60, aMinute: 10 },
  admin: { atOnce: 6_000, aMinute: 1_000 },
} as const satisfies Record<string, Rule>;

const mostKeys = 10_000;

export interface DeedBudget {
  /** Fault `limited` for who does too much. `who` is one user, or the machine itself. */
  spend(who: string, access: Access): void;
}

export function makeDeedBudget(clock: Clock): DeedBudget {
  const spent = new Map<string, { readonly deeds: number; readonly tickMs: number }>();
  return {
    spend(who, access) {
      const { atOnce, aMinute } = access === "admin" || access === "local" ? deedRules.admin : deedRules.others;
      const tickMs = clock.tickMs();
      const before = spent.get(who) ?? { deeds: 0, tickMs };
      const deeds = Math.max(0, before.deeds - ((tickMs - before.tickMs) / 60_000) * aMinute);
      if (deeds + 1 > atOnce) throw tooMany(((deeds + 1 - atOnce) / aMinute) * 60);
      spent.delete(who);
      spent.set(who, { deeds: deeds + 1, tickMs });
      if (spent.size > mostKeys) spent.delete(spent.keys().next().value ?? "");
    },
  };
}

function tooMany(waitSeconds: number): Fault {
  const retryAfterSeconds = Math.ceil(waitSeconds);
  return new Fault("limited", "you do this too often", {
    hint: `Try again in ${retryAfterSeconds} s. A program keeps its sign-in, or has a token: \`fed token create\`.`,
    details: { retryAfterSeconds },
  });
}
