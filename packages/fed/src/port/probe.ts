/** Port `probe`: asks once whether something is healthy. When, how often and what to make of it is decided by the caller. */

export type ProbeOutcome =
  | { readonly kind: "healthy"; readonly tookMs: number }
  /** In plain words: "connection refused", "status 503", "exit code 1". */
  | { readonly kind: "unhealthy"; readonly reason: string };

export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

export interface Probe {
  readonly name: string;
  /** GET `path`; any 2xx or 3xx answer within the limit is healthy. */
  http(address: ProbeAddress, path: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
  /** A connection that opens within the limit is healthy. */
  tcp(address: ProbeAddress, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
  /** Exit code 0 within the limit is healthy; no shell. The process is gone when this returns. */
  command(run: ProbeCommand, timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome>;
}

export interface ProbeCommand {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}
