import { Duplex, type Readable, type Writable } from "node:stream";

export interface JoinedIo {
  readonly io: Duplex;
  /** The command has ended: what is still written to it goes nowhere, and nobody waits for it. */
  over(): void;
}

/**
 * A command's stdin and stdout as one stream, with back pressure both ways. Trouble of either is no error of it: whether the command
 * ended well is told by its end. `destroyed`: nobody wants to hear of it any more, though it has more to say.
 */
export function joinIo(stdout: Readable, stdin: Writable, destroyed: () => void): JoinedIo {
  let ended = false;
  let pending: (() => void) | undefined;
  const settle = () => {
    const done = pending;
    pending = undefined;
    done?.();
  };
  const io = new Duplex({
    read: () => void stdout.resume(),
    write(bytes, _, done) {
      if (ended) return done();
      pending = () => done();
      stdin.write(bytes, settle);
    },
    final(done) {
      if (!ended) stdin.end();
      done();
    },
    destroy(_, done) {
      // A stream destroys itself when it has come to its end: that is no reason to end a command that is about to.
      if (!ended && !stdout.readableEnded) destroyed();
      else if (!ended) stdin.end();
      stdout.destroy();
      done(null);
    },
  });
  stdout.pause();
  stdout.on("data", (bytes) => {
    if (!io.push(bytes)) stdout.pause();
  });
  stdout.once("end", () => io.push(null));
  for (const part of [stdout, stdin]) part.on("error", () => {});
  return {
    io,
    over() {
      ended = true;
      settle();
    },
  };
}
