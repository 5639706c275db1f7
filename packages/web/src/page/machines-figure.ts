import type { Figure, Told } from "./board.ts";
import { innerDevices, innerFilesystems, ratesOf } from "./machine-figure.ts";

/** What stands on the cards: one query per figure for all machines, however many there are. Pure. */

export interface CardFigure {
  readonly id: string;
  readonly word: string;
  readonly kind: "ratio" | "bytesPerSecond";
  query(rate: (selector: string) => string): string;
}

const all = 'machine!=""';

export const cardFigures: readonly CardFigure[] = [
  {
    ...{ id: "cpu", word: "CPU", kind: "ratio" },
    query: (rate) => `clamp_min(1 - avg by (machine) (${rate(`node_cpu_seconds_total{${all},mode="idle"}`)}), 0)`,
  },
  {
    ...{ id: "memory", word: "Memory", kind: "ratio" },
    query() {
      const of = (name: string) => `max by (machine) (node_memory_${name}_bytes{${all}})`;
      const free = `(${of("MemAvailable")} or ${of("MemFree")} + ${of("Buffers")} + ${of("Cached")})`;
      return `(1 - ${free} / ${of("MemTotal")})`;
    },
  },
  {
    ...{ id: "disk", word: "Fullest disk", kind: "ratio" },
    query() {
      const of = (what: string) => `node_filesystem_${what}_bytes{${all},fstype!~"${innerFilesystems}"}`;
      return `max by (machine) (1 - ${of("avail")} / (${of("size")} > 0))`;
    },
  },
  {
    ...{ id: "network", word: "Network", kind: "bytesPerSecond" },
    query(rate) {
      const of = (way: string) =>
        `max by (machine, device) (${rate(`node_network_${way}_bytes_total{${all},device!~"${innerDevices}"}`)})`;
      return `sum by (machine) (${of("receive")} + ${of("transmit")})`;
    },
  },
];

export const sparkLengthMs = 60 * 60_000;
export const sparkStepMs = 60_000;

/** `intervalMs`: of the machine that is asked least often. */
export function figuresOfAll(intervalMs: number): readonly Figure[] {
  const rates = ratesOf({ stepMs: sparkStepMs, intervalMs });
  return cardFigures.map(({ id, query }) => ({ id, steps: query(rates.steps), now: query(rates.now) }));
}

/** The lines of a figure by the name of their machine. */
export function byMachine(told: Told | undefined): ReadonlyMap<string, Float64Array> {
  return new Map((told?.lines ?? []).map(({ labels, values }) => [labels.machine ?? "", values]));
}
