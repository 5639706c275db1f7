/** Ports for instances, out of a range below the one from which the kernel takes ports for outgoing connections. */

import { createServer } from "node:net";
import { Fault } from "#base/fault.ts";

export type PortRange = readonly [first: number, last: number];

/** Whether something could listen there now. A port below 1024 may be refused: `denied`. */
function tryPort(port: number): Promise<"free" | "taken" | "denied"> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EACCES" ? "denied" : "taken"));
    server.listen({ port, host: "127.0.0.1", exclusive: true, backlog: 1 }, () => server.close(() => resolve("free")));
  });
}

export interface PortBook {
  /** Takes the port, or any free one, until `release`. Fault `conflict` when it is taken or none is left. */
  take(wanted: number | undefined, holder: string, signal: AbortSignal): Promise<number>;
  /** Notes that a port is held, without asking the machine: by an instance found running. */
  hold(port: number, holder: string): void;
  release(port: number, holder: string): void;
}

/** `startAt` is where the search begins: a random place, so that two hubs on one machine rarely want the same port. */
export function openPortBook([first, last]: PortRange, startAt: number): PortBook {
  const count = last - first + 1;
  const holders = new Map<number, string>();
  let next = startAt % count;
  const takeWanted = async (port: number, holder: string) => {
    const other = holders.get(port);
    if (other !== undefined && other !== holder)
      throw new Fault("conflict", `port ${port} is in use by instance ${other}`, { hint: "Stop that one first." });
    holders.set(port, holder);
    const verdict = await tryPort(port);
    if (verdict === "free") return port;
    holders.delete(port);
    if (verdict === "denied")
      throw new Fault("denied", `port ${port} needs more rights than fed has`, { hint: "Use a port from 1024 on." });
    throw new Fault("conflict", `port ${port} is in use by another program on this machine`, {
      hint: `Find it with: ss -ltnp 'sport = :${port}'`,
    });
  };
  return {
    async take(wanted, holder, signal) {
      if (wanted !== undefined) return takeWanted(wanted, holder);
      for (let tried = 0; tried < count; tried++) {
        signal.throwIfAborted();
        const port = first + next;
        next = (next + 1) % count;
        if (holders.has(port)) continue;
        holders.set(port, holder);
        if ((await tryPort(port)) === "free") return port;
        holders.delete(port);
      }
      throw new Fault("conflict", `no port is free between ${first} and ${last}`, {
        hint: "Stop services that are not needed.",
      });
    },
    hold: (port, holder) => void holders.set(port, holder),
    release(port, holder) {
      if (holders.get(port) === holder) holders.delete(port);
    },
  };
}
