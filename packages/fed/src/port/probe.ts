/** Port `probe`: asks once whether something is healthy. When, how often and what to make of it is decided by the caller. */

export type ProbeOutcome =
  | { readonly kind: "healthy"; readonly tookMs: number }
  /** In plain words: "connection refused", "status 503", "exit code 1". */
  | {
      readonly kind: "unhealthy";
      readonly reason: string;
      /** Of `tcp` only: the host itself said that nothing listens there, so it is up. */
      readonly refused?: true;
    };

export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
  /**
   * Something in between takes connections there, such as an engine's proxy, and closes them within so long when nothing listens behind
   * it. For `tcp`: left out when the connection is with the thing itself.
   */
  readonly relayMs?: number | undefined;
}

/**
 * Every method settles within `timeoutMs`: a limit that is over is an unhealthy outcome, not a Fault. An aborted signal
 * rejects with its reason. Nothing is left when it has settled: no connection, no process. Fault `invalid` for what cannot
 * be asked at all (a port of 70,000, an empty command).
 */
export interface Probe {
  readonly name: string;
  /** GET `path`; a 2xx or 3xx answer is healthy as soon as its head is there: no redirect is followed, no body read. */
  http(address: ProbeAddress, path: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
  /** A connection that opens is healthy; behind a relay one that is not closed before a word within the relay's time. */
  tcp(address: ProbeAddress, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
  /**
   * Exit code 0 is healthy; no shell, no input, its output is dropped. The process and what it started (its process
   * group) are gone when this returns.
   */
  command(run: ProbeCommand, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
}

export interface ProbeCommand {
  /** An argv; the first is looked up in the PATH of `environment`. */
  readonly command: readonly string[];
  readonly folder: string;
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
}
