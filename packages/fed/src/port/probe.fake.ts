import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import type { Probe, ProbeAddress, ProbeCommand, ProbeOutcome } from "./probe.ts";
import { probeWithin, refused } from "./probe-limit.ts";

/** One call of a probe, as data. */
export type ProbeQuestion =
  | { readonly kind: "http"; readonly address: ProbeAddress; readonly path: string }
  | { readonly kind: "tcp"; readonly address: ProbeAddress }
  | { readonly kind: "command"; readonly run: ProbeCommand };

/** In words: healthy at once, unhealthy at once for this reason, or no answer until the limit is over. */
export type FakeAnswer = "healthy" | "hang" | "refused" | { readonly unhealthy: string };

/** A probe in memory that says what it is told to say. */
export interface FakeProbe extends Probe {
  /** Every question, in the order they came. */
  readonly asked: readonly ProbeQuestion[];
  /** From now on these are the answers. */
  answer(script: (question: ProbeQuestion) => FakeAnswer | Promise<FakeAnswer>): void;
}

/** Says "healthy" to everything until told otherwise. */
export function makeFakeProbe(clock: Clock): FakeProbe {
  const asked: ProbeQuestion[] = [];
  let script: (question: ProbeQuestion) => FakeAnswer | Promise<FakeAnswer> = () => "healthy";

  function ask(question: ProbeQuestion, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome> {
    return probeWithin(clock, timeoutMs, signal, async (inner) => {
      asked.push(question);
      const answer = await untilAborted(Promise.resolve(script(question)), inner);
      if (answer === "hang") return untilAborted(new Promise<never>(() => {}), inner);
      if (answer === "refused") return refused;
      return answer === "healthy" ? undefined : answer.unhealthy;
    });
  }

  return {
    name: "fake",
    asked,
    answer: (next) => {
      script = next;
    },
    http: (address, path, timeoutMs, signal) => ask({ kind: "http", address, path }, timeoutMs, signal),
    tcp: (address, timeoutMs, signal) => ask({ kind: "tcp", address }, timeoutMs, signal),
    command: (run, timeoutMs, signal) => ask({ kind: "command", run }, timeoutMs, signal),
  };
}
