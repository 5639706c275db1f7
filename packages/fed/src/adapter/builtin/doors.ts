import { createServer, type Server, type Socket } from "node:net";
import { isFault } from "#base/fault.ts";
import { closeServer, listen } from "./listen.ts";

/** Doors by port: each is open on 127.0.0.1, and at these addresses as far as this machine has them. */
export type WantedDoors = ReadonlyMap<
  number,
  { readonly service: string; readonly hosts?: readonly string[] | undefined }
>;

/** The listeners of the doors. Who answers behind one is asked anew for every connection. */
export interface Doors {
  /** Opens these and keeps the others, all or none; an address that this machine does not have (yet) is left out. Fault as `listen`. */
  open(wanted: WantedDoors): Promise<void>;
  /** Closes those that are not wanted; their open connections go on. */
  closeAllBut(wanted: WantedDoors): void;
  /** Closes all; resolves once their last connection is closed. */
  close(): Promise<void>;
}

export function makeDoors(onConnection: (port: number, socket: Socket) => void): Doors {
  const servers = new Map<string, Server>();
  const leaving = new Set<Promise<void>>();

  async function openOne({ host, port, service }: Seat): Promise<readonly (readonly [string, Server])[]> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => onConnection(port, socket));
    const hint = `free port ${port}, or give ${service} another one in lab.ts`;
    try {
      await listen(server, { host, port, what: `the door of ${service}`, hint });
      return [[nameOf({ host, port }), server]];
    } catch (thrown) {
      if (host !== home && isFault(thrown) && thrown.code === "missing") return [];
      throw thrown;
    }
  }

  function close(name: string, server: Server): void {
    servers.delete(name);
    const closed = closeServer(server).then(() => void leaving.delete(closed));
    leaving.add(closed);
  }

  return {
    async open(wanted) {
      const missing = seatsOf(wanted).filter((seat) => !servers.has(nameOf(seat)));
      const outcomes = await Promise.allSettled(missing.map(openOne));
      const opened = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed) {
        await Promise.all(opened.map(([, server]) => closeServer(server)));
        throw failed.reason;
      }
      for (const [name, server] of opened) servers.set(name, server);
    },
    closeAllBut(wanted) {
      const names = new Set(seatsOf(wanted).map(nameOf));
      for (const [name, server] of servers) if (!names.has(name)) close(name, server);
    },
    async close() {
      for (const [name, server] of servers) close(name, server);
      await Promise.all(leaving);
    },
  };
}

interface Seat {
  readonly host: string;
  readonly port: number;
  readonly service: string;
}

const home = "127.0.0.1";

const nameOf = ({ host, port }: Pick<Seat, "host" | "port">) => `${host} ${port}`;

function seatsOf(wanted: WantedDoors): readonly Seat[] {
  return [...wanted].flatMap(([port, { service, hosts = [] }]) =>
    [...new Set([home, ...hosts])].map((host) => ({ host, port, service })),
  );
}
