import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { Figure, Told } from "./board.ts";
import { innerDevices, innerFilesystems, ratesOf } from "./machine-figure.ts";

/** What stands on the cards: one query per figure for all machines, however many there are. Pure. */

export interface CardFigure {
  readonly id: string;
  readonly word: string;
  readonly kind: "ratio" | "bytesPerSecond";
  query(of: Asked): string;
}

interface Asked {
  /** Which machines. */
  readonly is: string;
  rate(selector: string): string;
}

const all = 'machine!=""';

export const cardFigures: readonly CardFigure[] = [
  {
    ...{ id: "cpu", word: "CPU", kind: "ratio" },
    query: ({ is, rate }) =>
      `clamp_min(1 - avg by (machine) (${rate(`node_cpu_seconds_total{${is},mode="idle"}`)}), 0)`,
  },
  {
    ...{ id: "memory", word: "Memory", kind: "ratio" },
    query({ is }) {
      const of = (name: string) => `max by (machine) (node_memory_${name}_bytes{${is}})`;
      const free = `(${of("MemAvailable")} or ${of("MemFree")} + ${of("Buffers")} + ${of("Cached")})`;
      return `(1 - ${free} / ${of("MemTotal")})`;
    },
  },
  {
    ...{ id: "disk", word: "Fullest disk", kind: "ratio" },
    query({ is }) {
      const of = (what: string) => `node_filesystem_${what}_bytes{${is},fstype!~"${innerFilesystems}"}`;
      return `max by (machine) (1 - ${of("avail")} / (${of("size")} > 0))`;
    },
  },
  {
    ...{ id: "network", word: "Network", kind: "bytesPerSecond" },
    query({ is, rate }) {
      const of = (way: string) =>
        `max by (machine, device) (${rate(`node_network_${way}_bytes_total{${is},device!~"${innerDevices}"}`)})`;
      return `sum by (machine) (${of("receive")} + ${of("transmit")})`;
    },
  },
];

export const sparkLengthMs = 60 * 60_000;
export const sparkStepMs = 60_000;

export type Paced = Pick<WireMachine, "name" | "intervalMs">;

/** A machine that is asked less often has rates of its own: over its long times the course of all others would be flat. */
const mostQuickMs = 60_000;
/** A query is part of an address. */
const mostLetters = 2_000;

export function figuresOfAll(machines: readonly Paced[]): readonly Figure[] {
  const slow = machines.filter(({ intervalMs }) => intervalMs > mostQuickMs);
  const names = slow.map(({ name }) => name).join("|");
  const together = slow.length === 0 || slow.length === machines.length || names.length > mostLetters;
  const quick = ratesOfMost(together ? machines : machines.filter((one) => !slow.includes(one)));
  const rare = ratesOfMost(slow);
  return cardFigures.map(({ id, query }) => {
    const of = (part: "steps" | "now") => {
      const most = query({ is: all, rate: quick[part] });
      const isRate = most !== query({ is: all, rate: rare[part] });
      return together || !isRate ? most : `(${most} or ${query({ is: `machine=~"${names}"`, rate: rare[part] })})`;
    };
    return { id, steps: of("steps"), now: of("now") };
  });
}

/** For all of them, as the one that is asked least often needs it. */
const ratesOfMost = (machines: readonly Paced[]) =>
  ratesOf({ stepMs: sparkStepMs, intervalMs: Math.max(...machines.map(({ intervalMs }) => intervalMs), 0) });

/** The lines of a figure by the name of their machine. */
export function byMachine(told: Told | undefined): ReadonlyMap<string, Float64Array> {
  return new Map((told?.lines ?? []).map(({ labels, values }) => [labels.machine ?? "", values]));
}
