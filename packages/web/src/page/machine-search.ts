import type { Span } from "./metrics-range.ts";

/** What stands in the address of a machine's page; comes with the first code, so it is small. Pure. */

const tabs = ["charts", "processes", "containers", "units", "updates", "storage", "system", "history"] as const;
export type MachineTab = (typeof tabs)[number];

export interface MachineSearch {
  readonly tab?: MachineTab;
  /** Minutes up to now; left out: an hour. */
  readonly last?: number;
  /** Seconds since the epoch, instead. */
  readonly from?: number;
  readonly to?: number;
}

const isNumber = (value: unknown): value is number => typeof value === "number" && value > 0 && value < 1e11;

/** Of an address that anybody may have written: what can be understood. */
export function readMachineSearch({ tab, last, from, to }: Readonly<Record<string, unknown>>): MachineSearch {
  const known = tabs.find((one) => one === tab);
  return {
    ...(known === undefined || known === "charts" ? {} : { tab: known }),
    ...(isNumber(last) && last <= 44_640 && last !== 60 ? { last } : {}),
    ...(isNumber(from) && isNumber(to) && from < to ? { from, to } : {}),
  };
}

/** Of minutes, in milliseconds. */
export const lastOf = (minutes = 60) => minutes * 60_000;

/** The address with another stretch of time. */
export function spanSearch({ tab }: MachineSearch, span: Span): MachineSearch {
  const time =
    span.kind === "last" ? { last: span.ms / 60_000 } : { from: span.startMs / 1_000, to: span.endMs / 1_000 };
  return readMachineSearch({ tab, ...time });
}
