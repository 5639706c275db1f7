/** What one caller, or many, may cost the hub. */
export interface ServeLimits {
  readonly bodyBytes: number;
  /** Of an endpoint that takes bytes: samples by the thousand. */
  readonly bytesBodyBytes: number;
  /** Request line and headers together. */
  readonly headerBytes: number;
  /** To send the head of a request; against who sends a letter at a time. */
  readonly headersTimeoutMs: number;
  /** To send a whole request. */
  readonly requestTimeoutMs: number;
  /** A connection without a request under way is kept so long. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves is ended, whatever is under way; longer than an answer may take. */
  readonly idleMs: number;
  /** To answer with one value. */
  readonly answerMs: number;
  readonly connections: number;
  /** Connections at the same time from one address, this machine's own excepted. */
  readonly connectionsOfOne: number;
  /** Streams at the same time. */
  readonly streams: number;
  /** Streams at the same time of one user, token, or of the machine itself. */
  readonly streamsOfOne: number;
  /** How long a reader of a stream may take nothing before it is cut off. */
  readonly slowReaderMs: number;
  readonly heartbeatMs: number;
  /** A stream of lines waits so long for its first one, so that a fault before it is an answer like any other. */
  readonly firstLineMs: number;
  /** What is under way may take so long to finish when the hub closes. */
  readonly closeMs: number;
  /** Failures told in the diary. */
  readonly tracesAMinute: number;
}

export const defaultLimits: ServeLimits = {
  bodyBytes: 1024 * 1024,
  bytesBodyBytes: 8 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 65_000,
  idleMs: 120_000,
  answerMs: 100_000,
  connections: 1_000,
  connectionsOfOne: 200,
  streams: 500,
  streamsOfOne: 128,
  slowReaderMs: 10_000,
  heartbeatMs: 15_000,
  firstLineMs: 100,
  closeMs: 4_000,
  tracesAMinute: 60,
};
