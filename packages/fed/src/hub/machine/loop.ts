import { untilAborted } from "#base/abort.ts";
import type { Probe } from "#port/probe.ts";
import type { MachineFacts } from "#wire/machine.ts";
import type { Seen } from "./machine.ts";
import { isSamePlace, type Member } from "./member.ts";
import type { Machines } from "./verbs.ts";

/** Looks once, and says what it saw. */
export type LookAt = (member: Member, signal: AbortSignal) => Promise<Seen>;

const lookMs = 10_000;
const answerMs = 3_000;
/** Machines looked at side by side. */
const atOnce = 32;

/** How a machine is looked at until the fleet speaks with it: does anything answer at its port of SSH? */
export function makeLookAt(probe: Probe, facts: () => MachineFacts): LookAt {
  return async ({ document, mode }, signal) => {
    if (mode === "local") return { look: { kind: "answered", tookMs: 0, detail: "" }, reading: { facts: facts() } };
    const tailscale = document.kind === "workstation" ? document.tailscale : undefined;
    const target = { host: document.address ?? tailscale ?? "", port: document.port ?? 22 };
    const outcome = await probe.tcp(target, answerMs, signal);
    if (outcome.kind === "healthy") return { look: { kind: "answered", tookMs: outcome.tookMs, detail: "" } };
    if (!outcome.refused) return { look: { kind: "silent", reason: outcome.reason } };
    const detail = `it answers, but nothing listens on port ${target.port}`;
    return { look: { kind: "answered", tookMs: undefined, detail } };
  };
}

/** Looks at one machine now, and records it; does nothing for a name the lab does not have (any more). */
export type LookNow = (name: string, signal: AbortSignal) => Promise<void>;

interface UnderWay {
  readonly target: Member;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  askers: number;
}

/**
 * One look at a machine at a time: who asks while it is under way gets what that one sees. Else many who ask at once would
 * make one lost packet as many as make a machine be gone. It ends when nobody waits for it any more.
 */
export function makeLookNow(machines: Machines, lookAt: LookAt): LookNow {
  const looks = new Map<string, UnderWay>();
  const begin = (name: string, target: Member): UnderWay => {
    const stop = new AbortController();
    const done = lookAt(target, stop.signal).then((seen) => {
      const now = machines.fleet.get(name);
      if (!stop.signal.aborted && now && isSamePlace(now, target)) machines.saw(name, seen);
    });
    const look = { target, stop, done, askers: 0 };
    looks.set(name, look);
    return look;
  };
  return async (name, signal) => {
    const target = machines.fleet.get(name);
    if (!target) return;
    const underWay = looks.get(name);
    const look = underWay && isSamePlace(underWay.target, target) ? underWay : begin(name, target);
    look.askers++;
    try {
      await untilAborted(look.done, signal);
    } finally {
      look.askers--;
      if (look.askers === 0) {
        look.stop.abort(new Error("nobody waits for this look any more"));
        if (looks.get(name) === look) looks.delete(name);
      }
    }
  };
}

/** Looks at every machine of the lab, again and again. One that cannot be looked at at all keeps none from its turn. */
export function lookLoop(machines: Machines, lookNow: LookNow) {
  return {
    name: "machine.look",
    intervalMs: lookMs,
    jitter: 0.1,
    timeoutMs: 60_000,
    immediately: true,
    async run(signal: AbortSignal) {
      const names = [...machines.names()];
      const failures: unknown[] = [];
      const lookAtNext = async (): Promise<void> => {
        for (let name = names.shift(); name !== undefined; name = names.shift()) {
          await lookNow(name, signal).catch((thrown) => void failures.push(thrown));
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, lookAtNext));
      if (failures.length > 0) throw failures[0];
    },
  };
}
