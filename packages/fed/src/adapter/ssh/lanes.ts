import { untilAborted } from "#base/abort.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { makeTail } from "#port/shell-limit.ts";
import { openSh } from "./channel.ts";
import type { Connection } from "./connect.ts";
import { lostFault, startFault } from "./failure.ts";
import { type Lane, openLane } from "./lane.ts";

/** The kept-open shells of one connection. */
export interface Lanes {
  /** One that is free; `urgent` waits for none. Give it back. */
  take(signal: AbortSignal, urgent?: "urgent"): Promise<Lane>;
  give(lane: Lane): void;
}

/** A server lets 10 channels run in a connection unless it is told otherwise, and streams need some. */
const lanesAtMost = 4;
/** From the channel's opening until its shell has answered: a login shell may read much before, and the machine be busy. */
const readyMs = 30_000;
/** A shell that nobody needed for so long is closed. */
const idleMs = 300_000;

export function openLanes(connection: Connection, clock: Clock): Lanes {
  const idle: Lane[] = [];
  const waiting = new Set<{ resolve(lane: Lane): void; reject(reason: unknown): void }>();
  let open = 0;
  let timer: Timer | undefined;

  const closeIdle = () => {
    for (const lane of idle.splice(0)) lane.close();
  };
  connection.onGone((reason) => {
    timer?.cancel();
    for (const { reject } of waiting) reject(lostFault(connection.login.machine, reason));
    waiting.clear();
  });

  const openOne = (signal: AbortSignal) => {
    open++;
    return beginLane(connection, clock, signal, () => {
      open--;
    });
  };

  function waitForOne(signal: AbortSignal): Promise<Lane> {
    const turn = Promise.withResolvers<Lane>();
    waiting.add(turn);
    return untilAborted(turn.promise, signal).catch((thrown: unknown) => {
      // Handed over in the same moment: somebody else's turn.
      if (!waiting.delete(turn)) turn.promise.then(give, () => {});
      throw thrown;
    });
  }

  function give(lane: Lane): void {
    const [next] = waiting;
    if (lane.dead) {
      lane.close();
      // Who waits for a lane may open one now.
      if (next !== undefined) {
        waiting.delete(next);
        openOne(new AbortController().signal).then(next.resolve, next.reject);
      }
      return;
    }
    if (next !== undefined) {
      waiting.delete(next);
      next.resolve(lane);
      return;
    }
    idle.push(lane);
    timer?.cancel();
    if (connection.gone === undefined) timer = clock.after(idleMs, closeIdle);
  }

  return {
    give,
    async take(signal, urgent) {
      signal.throwIfAborted();
      for (let lane = idle.pop(); lane !== undefined; lane = idle.pop()) {
        if (!lane.dead) return lane;
        lane.close();
      }
      if (open >= lanesAtMost && urgent === undefined) return waitForOne(signal);
      try {
        return await openOne(signal);
      } catch (thrown) {
        // The server has no room for one more: wait for one of those there are.
        if (signal.aborted || open === 0 || urgent !== undefined || connection.gone !== undefined) throw thrown;
        return waitForOne(signal);
      }
    },
  };
}

/** `ended` is called once, when its channel is gone or could not be opened. */
async function beginLane(connection: Connection, clock: Clock, signal: AbortSignal, ended: () => void): Promise<Lane> {
  const channel = await openSh(connection, signal).catch((thrown: unknown) => {
    ended();
    throw thrown;
  });
  channel.once("close", ended);
  const said = makeTail(1_000);
  const hear = (bytes: Buffer) => said.add(bytes);
  channel.on("data", hear);
  channel.stderr.on("data", hear);
  const { lane, ready } = openLane(channel);
  let isLate = false;
  const timer = clock.after(readyMs, () => {
    isLate = true;
    lane.close();
  });
  const isReady = await untilAborted(ready, signal)
    .catch((thrown: unknown) => {
      lane.close();
      throw thrown;
    })
    .finally(() => {
      timer.cancel();
      channel.off("data", hear);
      channel.stderr.off("data", hear);
    });
  if (isReady) return lane;
  throw startFault(connection, said.text(), isLate ? readyMs : undefined);
}
