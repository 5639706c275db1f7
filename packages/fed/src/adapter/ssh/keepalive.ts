import type { Clock, Timer } from "#base/clock.ts";
import type { Connection } from "./connect.ts";

/** How often it is looked whether anything arrived. */
export const keepaliveMs = 15_000;
/** So many looks in a row without a byte, and the machine is gone. */
const missesAtMost = 3;

/** What of a connection is needed to know whether it lives. */
interface Living extends Pick<Connection, "readBytes" | "end" | "onGone"> {
  readonly client: { unforwardIn(address: string, port: number, answered: () => void): unknown };
}

/**
 * Asks a silent machine for a sign of life, and ends the connection when none comes. A busy one is not asked. One timer a connection.
 */
export function keepAlive(connection: Living, clock: Clock): void {
  let seen = connection.readBytes();
  let misses = 0;
  let timer: Timer;
  const look = () => {
    const now = connection.readBytes();
    if (now !== seen) misses = 0;
    else if (++misses > missesAtMost) return connection.end(`no sign of life for ${(misses * keepaliveMs) / 1_000} s`);
    else ask(connection);
    seen = now;
    timer = clock.after(keepaliveMs, look);
  };
  timer = clock.after(keepaliveMs, look);
  connection.onGone(() => timer.cancel());
}

/** Any request that a server must answer will do; this one, to end a forwarding that is none, changes nothing. */
function ask({ client }: Living): void {
  try {
    client.unforwardIn("fed.keepalive", 0, () => {});
  } catch {
    // Not connected any more: that is told by another way.
  }
}
