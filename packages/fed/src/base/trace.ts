/** The program's own diary: what it did, for the people who run it. Never holds a secret. */

export type TraceLevel = "debug" | "info" | "warn" | "error";

export interface TraceEntry {
  readonly atMs: number;
  readonly level: TraceLevel;
  readonly message: string;
  /** Facts as data: names, counts, durations with their unit in the key. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Trace {
  debug(message: string, facts?: TraceEntry["facts"]): void;
  info(message: string, facts?: TraceEntry["facts"]): void;
  warn(message: string, facts?: TraceEntry["facts"]): void;
  error(message: string, facts?: TraceEntry["facts"]): void;
}

const rank: Record<TraceLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A diary that hands every entry at or above `level` to `write`. */
export function makeTrace(nowMs: () => number, level: TraceLevel, write: (entry: TraceEntry) => void): Trace {
  const at =
    (entryLevel: TraceLevel) =>
    (message: string, facts: TraceEntry["facts"] = {}) => {
      if (rank[entryLevel] >= rank[level]) write({ atMs: nowMs(), level: entryLevel, message, facts });
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A diary that keeps nothing. */
export const silentTrace: Trace = makeTrace(
  () => 0,
  "error",
  () => {},
);
