import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { Fault } from "#base/fault.ts";

/** Makes a connection to an engine's socket. Rejects with a Fault, or with the reason of the abort. */
export type Dial = (signal: AbortSignal) => Promise<Duplex>;

/** Where an engine listens: a socket of this machine, or what a dialer leads to (a machine's shell that forwards). */
export type EngineSocket =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "dial"; readonly dial: Dial };

export function dialerOf(socket: EngineSocket): Dial {
  return socket.kind === "dial" ? socket.dial : (signal) => dialUnix(socket.path, signal);
}

function dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = createConnection({ path });
    const settle = () => {
      signal.removeEventListener("abort", giveUp);
      socket.removeListener("error", fail);
    };
    const giveUp = () => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(signal.reason);
    };
    const fail = (thrown: NodeJS.ErrnoException) => {
      settle();
      reject(faultOfDial(path, thrown));
    };
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no socket",
  ENOTSOCK: "there is no socket",
  ECONNREFUSED: "nothing listens",
};

function faultOfDial(path: string, thrown: NodeJS.ErrnoException): Fault {
  if (thrown.code === "EACCES" || thrown.code === "EPERM")
    return new Fault("denied", `the hub's user may not use ${path}`, {
      ...{ cause: thrown, hint: "Add the user to the group of that socket, such as docker, and start the hub anew." },
    });
  return new Fault("unreachable", `${reasons[thrown.code ?? ""] ?? thrown.message} at ${path}`, {
    ...{ cause: thrown, hint: "Start the engine, or name the socket where it listens." },
  });
}
