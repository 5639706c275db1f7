/**
 * Port `exporter`: fetches what something tells in Prometheus' way. What the text means, how often it is asked for and what becomes of
 * it is not its business.
 */

export interface ScrapeRequest {
  /** `http:` or `https:`. */
  readonly url: string;
  /** The header, such as `Bearer …`; a secret, which no outcome tells. */
  readonly authorization?: string | undefined;
  /** Of all of it: connecting, the head, the last byte. */
  readonly timeoutMs: number;
  /** Of the body, before and after it is unpacked. */
  readonly bytes: number;
}

/** `text` is Prometheus' text format, `openmetrics` is OpenMetrics: what the answer says it is. */
export type ScrapeFormat = "text" | "openmetrics";

export type ScrapeOutcome =
  /** `bytes`: unpacked, in a buffer of their own. */
  | { readonly kind: "answered"; readonly bytes: Uint8Array<ArrayBuffer>; readonly format: ScrapeFormat }
  /** In plain words, of one line, without what the other side could have put in to harm who reads it. */
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Only status 200 is an answer, and no redirect is followed: whoever answers must not choose what else is asked. It asks with Prometheus'
 * headers, so that an exporter tells the same as to a Prometheus. Connections may be kept for the next time.
 */
export interface ExporterDoor {
  readonly name: string;
  /** Settles within `timeoutMs`; rejects only with the signal's reason, or with Fault `invalid` for a URL that is none. */
  fetch(request: ScrapeRequest, signal: AbortSignal): Promise<ScrapeOutcome>;
  /** Ends what is under way, and the kept connections. */
  close(): Promise<void>;
}
