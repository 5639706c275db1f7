import type { AddressInfo, Server } from "node:net";
import { Fault } from "#base/fault.ts";

/** Where to listen, and how to speak of it. */
export interface ListenPlace {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** "the ingress", "the door of dev/api". */
  readonly what: string;
  /** What to do when the port cannot be had. */
  readonly hint: string;
}

/** Starts listening; the bound address. Fault `conflict` when the port is taken, `denied` when the machine forbids it. */
export function listen(server: Server, place: ListenPlace): Promise<{ readonly host: string; readonly port: number }> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(listenFault(error, place));
    server.once("error", refuse);
    server.listen({ host: place.host, port: place.port }, () => {
      server.off("error", refuse);
      const { address, port } = server.address() as AddressInfo;
      resolve({ host: address, port });
    });
  });
}

function listenFault(error: NodeJS.ErrnoException, { host, port, what, hint }: ListenPlace): Fault {
  const options = { hint, cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new Fault("conflict", `port ${port}, for ${what}, is in use by another program`, options);
    case "EACCES":
      return new Fault("denied", `this user may not listen on port ${port}, for ${what}`, options);
    case "EADDRNOTAVAIL":
      return new Fault("missing", `this machine has no address ${host} to listen on, for ${what}`, { cause: error });
    default:
      return new Fault("internal", `${what} cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
  }
}

/** Stops taking connections; resolves once the last one is closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
