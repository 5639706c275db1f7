import type { Probe } from "#port/probe.ts";
import type { MachineFacts } from "#wire/machine.ts";
import type { Seen, Target } from "./machine.ts";
import type { Machines } from "./verbs.ts";

/** Looks once, and says what it saw. */
export type LookAt = (target: Target, signal: AbortSignal) => Promise<Seen>;

const lookMs = 10_000;
const answerMs = 3_000;
/** Machines looked at side by side. */
const atOnce = 32;

/** How a machine is looked at until the fleet speaks with it: does anything answer at its port of SSH? */
export function makeLookAt(probe: Probe, facts: () => MachineFacts): LookAt {
  return async (target, signal) => {
    if (target.kind === "here") return { look: { kind: "answered", tookMs: 0, detail: "" }, facts: facts() };
    const outcome = await probe.tcp(target, answerMs, signal);
    if (outcome.kind === "healthy") return { look: { kind: "answered", tookMs: outcome.tookMs, detail: "" } };
    if (!outcome.refused) return { look: { kind: "silent", reason: outcome.reason } };
    const detail = `it answers, but nothing listens on port ${target.port}`;
    return { look: { kind: "answered", tookMs: undefined, detail } };
  };
}

/** Looks at one machine now; does nothing for a name the lab does not have (any more). */
export async function lookNow(machines: Machines, name: string, lookAt: LookAt, signal: AbortSignal): Promise<void> {
  const target = machines.targetOf(name);
  if (target) machines.saw(name, target, await lookAt(target, signal));
}

/** Looks at every machine of the lab, again and again. One that cannot be looked at at all keeps none from its turn. */
export function lookLoop(machines: Machines, lookAt: LookAt) {
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
          await lookNow(machines, name, lookAt, signal).catch((thrown) => void failures.push(thrown));
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, lookAtNext));
      if (failures.length > 0) throw failures[0];
    },
  };
}
