/** Every limit of the builtin ingress. Bodies have none, neither size nor time: uploads, downloads and event streams take what they take. */
export const limit = {
  /** Head of a request or of an answer; cookies make them long. */
  headerSizeBytes: 32 * 1024,
  /** A client that has not sent its whole head by then is shown out (408). */
  requestHeadMs: 30_000,
  /** An idle client connection is kept so long: longer than clients keep theirs, so that they never write into a closing one. */
  clientIdleMs: 75_000,
  clientConnections: 10_000,
  /** A client that has not done its TLS handshake by then is cut off. */
  handshakeMs: 10_000,
  /** Requests at a time over one connection of HTTP/2, what its parts may take together, and what may be on its way of one upload. */
  sessionStreams: 128,
  sessionMemoryMb: 10,
  streamWindowBytes: 256 * 1024,
  /** Given certificates are read again so often. */
  certificateLookMs: 10_000,
  connectMs: 5_000,
  /** From the request's end to the answer's head. */
  answerHeadMs: 300_000,
  /** From an upgrade's request to its answer. */
  upgradeMs: 30_000,
  /**
   * An idle connection to an instance is kept so long: shorter than the servers in use close theirs (Node 5 s,
   * gunicorn 2 s), so that we seldom write into a closing one.
   */
  instanceIdleMs: 1_000,
  /** Targets tried for one request. */
  attempts: 3,
  /** A request that nobody is there for any more waits so long for other routes, and looks so often whether they have come. */
  otherRoutesMs: 1_000,
  otherRoutesLookMs: 20,
  /** A target that could not be reached is the last choice for so long. */
  avoidMs: 1_000,
  /** A failing instance is spoken of once in so long. */
  quietMs: 1_000,
  /** The rest of an upload whose answer is already given is read and thrown away for so long, then the connection closes. */
  lingerMs: 30_000,
  /** What is cut off and was told so has so long to end by itself. */
  farewellMs: 1_000,
  /** Dead peers of upgraded and raw connections are noticed by TCP keep-alive after so long. */
  tcpKeepAliveMs: 30_000,
} as const;
