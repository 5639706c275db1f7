import { createServer, type Server, type Socket } from "node:net";
import { closeServer, listen } from "./listen.ts";

/** The listeners of the doors, by port. Who answers behind one is asked anew for every connection. */
export interface Doors {
  /** Opens these and keeps the others, all or none. Fault as `listen`. */
  open(wanted: ReadonlyMap<number, { readonly service: string }>): Promise<void>;
  /** Closes those that are not wanted; their open connections go on. */
  closeAllBut(wanted: ReadonlyMap<number, unknown>): void;
  /** Closes all; resolves once their last connection is closed. */
  close(): Promise<void>;
}

export function makeDoors(onConnection: (port: number, socket: Socket) => void): Doors {
  const servers = new Map<number, Server>();
  const leaving = new Set<Promise<void>>();

  async function openOne(port: number, service: string): Promise<readonly [number, Server]> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => onConnection(port, socket));
    const hint = `free port ${port}, or give ${service} another one in lab.ts`;
    await listen(server, { host: "127.0.0.1", port, what: `the door of ${service}`, hint });
    return [port, server];
  }

  function close(port: number, server: Server): void {
    servers.delete(port);
    const closed = closeServer(server).then(() => void leaving.delete(closed));
    leaving.add(closed);
  }

  return {
    async open(wanted) {
      const missing = [...wanted].filter(([port]) => !servers.has(port));
      const outcomes = await Promise.allSettled(missing.map(([port, { service }]) => openOne(port, service)));
      const opened = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed) {
        await Promise.all(opened.map(([, server]) => closeServer(server)));
        throw failed.reason;
      }
      for (const [port, server] of opened) servers.set(port, server);
    },
    closeAllBut(wanted) {
      for (const [port, server] of servers) if (!wanted.has(port)) close(port, server);
    },
    async close() {
      for (const [port, server] of servers) close(port, server);
      await Promise.all(leaving);
    },
  };
}
