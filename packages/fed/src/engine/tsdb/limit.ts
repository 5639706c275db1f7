import { totalmem } from "node:os";
import { Fault } from "#base/fault.ts";
import { type Labels, metricName } from "../series/labels.ts";

export interface Limits {
  /** Series with samples in memory, all together. */
  readonly series: number;
  /** Series of one tenant with samples in memory. */
  readonly seriesPerTenant: number;
  readonly labelsPerSeries: number;
  readonly nameBytes: number;
  readonly valueBytes: number;
  /** Samples that one query may read. */
  readonly samplesPerQuery: number;
  readonly seriesPerQuery: number;
}

/** Measured: what a series keeps in memory with three hours of samples, 10 s to 60 s apart. */
const seriesBytes = 3_000;

/** Active series for which four tenths of the memory that this process may use are enough. */
export function seriesForMemory(memoryBytes: number): number {
  return Math.max(10_000, Math.min(2_000_000, Math.floor((memoryBytes * 0.4) / seriesBytes)));
}

export const usualLimits: Limits = {
  series: seriesForMemory(Math.min(totalmem(), process.constrainedMemory() || Infinity)),
  seriesPerTenant: 200_000,
  labelsPerSeries: 64,
  nameBytes: 256,
  valueBytes: 4096,
  samplesPerQuery: 50_000_000,
  seriesPerQuery: 500_000,
};

/** For what has been taken before. */
export const noLimits: Limits = {
  series: Infinity,
  seriesPerTenant: Infinity,
  labelsPerSeries: Infinity,
  nameBytes: Infinity,
  valueBytes: Infinity,
  samplesPerQuery: Infinity,
  seriesPerQuery: Infinity,
};

/** What is wrong with these labels; undefined when nothing is. */
export function faultOfLabels(labels: Labels, limits: Limits): string | undefined {
  if (labels.length === 0 || labels.length % 2 !== 0) return "a series needs pairs of label names and values";
  if (labels.length / 2 > limits.labelsPerSeries) {
    return `it has ${labels.length / 2} labels; ${limits.labelsPerSeries} are allowed`;
  }
  for (let i = 0; i < labels.length; i += 2) {
    const [name, value] = [labels[i] as string, labels[i + 1] as string];
    if (name === "") return "a label has no name";
    if (i > 0 && name <= (labels[i - 2] as string)) return `its labels are not sorted, or ${name} is there twice`;
    if (value === "") return `the label ${name} is empty; leave it out`;
    if (!name.isWellFormed() || !value.isWellFormed() || name.includes("\0") || value.includes("\0")) {
      return `the label ${name.toWellFormed().slice(0, 100)} is not text`;
    }
    if (Buffer.byteLength(name) > limits.nameBytes) {
      return `the name ${name.slice(0, 50)}… is longer than ${limits.nameBytes} bytes`;
    }
    if (Buffer.byteLength(value) > limits.valueBytes) {
      const what = name === metricName ? "the metric's name" : `the value of ${name}`;
      return `${what} is longer than ${limits.valueBytes} bytes`;
    }
  }
  return undefined;
}

export function tooMany(what: string, most: number): Fault {
  return new Fault("limited", `the query reads more than ${most.toLocaleString("en")} ${what}`, {
    hint: "Ask for fewer series or a shorter time.",
  });
}
