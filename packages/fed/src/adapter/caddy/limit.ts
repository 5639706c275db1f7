/** Every limit of the Caddy ingress. */
export const limit = {
  /** One question to the admin API; a change of the configuration may wait for certificates' storage. */
  adminMs: 30_000,
  /** Times that a question is put when it is cut off, and the pause between them. */
  tries: 3,
  againMs: 50,
  /** Its answers: a configuration with some thousand routes. */
  adminSizeBytes: 32 * 1024 * 1024,
  /** A command that reads or writes the switchboard. */
  commandMs: 20_000,
  switchboardSizeBytes: 16 * 1024 * 1024,
  /** Tries to change a configuration that others change at the same time. */
  changes: 5,
  /** Between two looks at what is in flight. */
  lookMs: 50,
  /** Answers of the new configuration in a row that prove that the old one takes no more connections. */
  answersInRow: 4,
  /** Looks for what Caddy is about to do: to close a port, to see a switch. */
  looks: 40,
  /**
   * Caddy reads where a request goes a moment before it counts it: only two looks so far apart that both see nothing in flight prove
   * that nothing is. On a machine that has so much to do that Caddy's own answers take their time it is so many of these.
   */
  quietMs: 100,
  quietAnswers: 10,
  /** Of a file's name on Linux. */
  nameSizeBytes: 255,
  connectMs: 5_000,
  /** As of the builtin ingress: shorter than the servers in use close theirs. */
  instanceIdleMs: 1_000,
  /** Idle connections to an instance that are kept for the next requests. */
  instanceConnections: 64,
} as const;
