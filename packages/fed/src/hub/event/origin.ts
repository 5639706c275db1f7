import type { Clock } from "#base/clock.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Origin } from "./verbs.ts";

/** Of a deed the hub does by itself: what it leads to is tied together, and to nothing else. */
export function hubOrigin(clock: Clock): Origin {
  return { actor: "hub", correlation: makeId("cor", { nowMs: () => clock.nowMs(), random: cryptoRandom }) };
}
