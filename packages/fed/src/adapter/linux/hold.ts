import type { SampleSink } from "#port/collector.ts";
import { ownText } from "./shown.ts";

/** A series is stale for PromQL when nothing was told for five minutes: what is asked more rarely than this is told again in between. */
const heldAboveMs = 120_000;
const repeatMs = 60_000;
/** Of a machine that is not asked any more, old values are not told as new ones for ever. */
const longestIntervals = 3;
const heldSamples = 3000;

/** The samples of one section that is asked rarely. */
export interface Hold {
  /** Forgets what it holds; what the sink that comes back takes is held, and handed on. */
  begin(machineMs: number, sink: SampleSink): SampleSink;
  /** Tells them again when it is time. */
  repeat(machineMs: number, sink: SampleSink): void;
  forget(): void;
}

type Held = readonly [metric: string, value: number, labels: Readonly<Record<string, string>> | undefined];

/** Undefined for sections that are asked often enough. */
export function openHold(everyMs: number): Hold | undefined {
  if (everyMs <= heldAboveMs) return undefined;
  let held: Held[] = [];
  let askedMs = 0;
  let toldMs = 0;
  return {
    begin(machineMs, sink) {
      held = [];
      askedMs = machineMs;
      toldMs = machineMs;
      return (metric, value, labels) => {
        if (held.length < heldSamples) held.push([ownText(metric), value, labels && own(labels)]);
        sink(metric, value, labels);
      };
    },
    repeat(machineMs, sink) {
      // A clock that was set back is no reason to fall silent.
      if (Math.abs(machineMs - toldMs) < repeatMs) return;
      toldMs = machineMs;
      if (machineMs - askedMs > longestIntervals * everyMs) held = [];
      for (const [metric, value, labels] of held) sink(metric, value, labels);
    },
    forget() {
      held = [];
    },
  };
}

function own(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, ownText(value)]));
}
