/**
 * Faults: the one thrown kind of bad news. Expected outcomes are unions with a `kind`; a Fault is for
 * what the caller did not plan for. The code list is closed; the table gives each code its HTTP status
 * (problem+json, RFC 9457) and its process exit code, and is read backwards by the client.
 */

interface FaultMeaning {
  /** HTTP status of a problem+json answer. */
  readonly status: number;
  /** Exit code of the process. */
  readonly exit: number;
  /** A short human title, the same for every fault of this code. */
  readonly title: string;
}

export const faultTable = {
  invalid: { status: 422, exit: 2, title: "Not valid" },
  missing: { status: 404, exit: 4, title: "Not found" },
  conflict: { status: 409, exit: 5, title: "In conflict with what is there" },
  unauthenticated: { status: 401, exit: 10, title: "Not signed in" },
  denied: { status: 403, exit: 6, title: "Not allowed" },
  limited: { status: 429, exit: 11, title: "Too often" },
  unreachable: { status: 503, exit: 7, title: "Cannot be reached" },
  timeout: { status: 504, exit: 8, title: "Took too long" },
  unsupported: { status: 501, exit: 9, title: "Not supported here" },
  internal: { status: 500, exit: 1, title: "A defect in fed" },
} as const satisfies Record<string, FaultMeaning>;

export type FaultCode = keyof typeof faultTable;

export const faultCodes = Object.keys(faultTable) as readonly FaultCode[];

export interface FaultOptions {
  /** What the reader can do next, in plain words. */
  readonly hint?: string | undefined;
  /** What lay beneath; never shown to people unless FED_DEBUG=1. */
  readonly cause?: unknown;
  /** Facts of the fault as data, safe to show (never a secret). Travels in problem+json. */
  readonly details?: unknown;
}

/** An error people can act on: a code of the closed list, what happened, and what to do next. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly hint: string | undefined;
  readonly details: unknown;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

export function isFault(value: unknown): value is Fault {
  return value instanceof Fault;
}

/**
 * Anything thrown, as a Fault. What is not one already is a defect of ours: `internal`. The reason of an aborted signal
 * is no fault; who aborts looks at the signal before asking here.
 */
export function toFault(thrown: unknown): Fault {
  if (isFault(thrown)) return thrown;
  const message = thrown instanceof Error && thrown.message !== "" ? thrown.message : describe(thrown);
  return new Fault("internal", message, { cause: thrown });
}

/** A thrown value in words; never throws itself, whatever the value. */
function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return `a thrown ${typeof thrown}`;
  }
}

/** Statuses that fed does not send, but a framework or a proxy in between may. */
const foreignStatuses: Readonly<Record<number, FaultCode>> = {
  400: "invalid",
  408: "timeout",
  410: "missing",
  412: "conflict",
  413: "invalid",
  415: "invalid",
  431: "invalid",
  502: "unreachable",
};

/** The code whose HTTP status this is; an unknown status reads as `internal`. */
export function faultCodeOfStatus(status: number): FaultCode {
  return faultCodes.find((code) => faultTable[code].status === status) ?? foreignStatuses[status] ?? "internal";
}
