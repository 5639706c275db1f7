import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, withDeadline } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Instance } from "#port/runtime.ts";
import type { Shell } from "#port/shell.ts";

/** Where something listens. */
export type Address = Instance["address"];

/** Makes what listens on a machine's loopback be found at an address of the hub's own. */
export interface Reach {
  /** The hub's address for it; the same until `forget`. Port 0 listens on nothing, here as there. */
  find(instance: string, there: Address): Promise<Address>;
  /** Takes no more connections to it; those that are open go on to their end. */
  forget(instance: string): void;
  /** Cuts off what is open. */
  close(): Promise<void>;
}

/** The hub's own machine. */
export const reachHere: Reach = { find: async (_, there) => there, forget() {}, async close() {} };

const connectMs = 10_000;

/** Another machine: a listener on the hub's loopback for each instance, from which each connection is led through the machine's shell. */
export function openReach(needs: { readonly shell: Shell; readonly clock: Clock; readonly trace: Trace }): Reach {
  const { shell, clock, trace } = needs;
  const listeners = new Map<string, { readonly server: Server; readonly address: Promise<Address> }>();
  const sockets = new Set<Socket>();
  const closing = new AbortController();

  async function lead(socket: Socket, there: Address): Promise<void> {
    const gone = new AbortController();
    const giveUp = () => gone.abort(new Error("who asked has gone"));
    socket.once("close", giveUp);
    const target = { kind: "tcp", ...there } as const;
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    const far = await withDeadline(clock, connectMs, "a connection", (inner) => shell.forward(target, inner), signal);
    socket.off("close", giveUp);
    if (socket.destroyed) far.destroy();
    else join(socket, far);
  }

  function listen(there: Address): { readonly server: Server; readonly address: Promise<Address> } {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      lead(socket, there).catch((thrown) => {
        trace.debug("a connection to an instance failed", { machine: shell.name, reason: toFault(thrown).message });
        socket.resetAndDestroy();
      });
    });
    const address = new Promise<Address>((resolve, reject) => {
      // Also of a connection that could not be accepted, long after.
      server.on("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, () => {
        const bound = server.address();
        resolve({ host: "127.0.0.1", port: typeof bound === "object" && bound !== null ? bound.port : 0 });
      });
    });
    return { server, address };
  }

  return {
    async find(instance, there) {
      if (there.port === 0) return there;
      const known = listeners.get(instance) ?? listen(there);
      listeners.set(instance, known);
      try {
        return await known.address;
      } catch (thrown) {
        // The next one who asks tries again: there may be room then.
        if (listeners.get(instance) === known) listeners.delete(instance);
        throw thrown;
      }
    },
    forget(instance) {
      listeners.get(instance)?.server.close();
      listeners.delete(instance);
    },
    async close() {
      closing.abort(new Error("the hub is closing"));
      const closed = Array.from(listeners.values(), ({ server }) => new Promise((done) => server.close(done)));
      listeners.clear();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** Leads both ways, each to its own end. One that breaks off before its end breaks the other one off. */
function join(near: Socket, far: Duplex): void {
  far.on("error", () => {});
  // Where all was read it is on its way, and the other one may still send it.
  near.once("close", () => (near.readableEnded ? far.end() : far.destroy()));
  far.once("close", () => (far.readableEnded ? near.end() : near.resetAndDestroy()));
  near.pipe(far);
  far.pipe(near);
}
