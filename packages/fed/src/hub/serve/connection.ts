import type { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ServeLimits } from "./limit.ts";

export interface Connections {
  /**
   * From now on takes no new connection, ends those without an answer under way at once and the others after it.
   * Resolves when none is left.
   */
  drain(): Promise<void>;
  /** Breaks off what is left. */
  destroy(): void;
}

/** A connection that is kept. */
interface Seat {
  /** Whose it is counted as; undefined on this machine, where a proxy may speak for many. */
  readonly address: string | undefined;
  /** Answers under way. */
  answers: number;
}

/**
 * Seats connections, in all and of each address. Where there is no seat, who comes gets that of the one that has asked
 * nothing for longest; only when each has an answer under way it is refused. So nobody shuts others out by holding
 * connections, and least of all who works on this machine.
 *
 * Knows which connections have an answer under way. Node's own `closeIdleConnections` takes one whose answer has been
 * written but not sent yet for idle, and cuts it off.
 */
export function trackConnections(
  server: EventEmitter,
  limits: Pick<ServeLimits, "connections" | "connectionsOfOne">,
): Connections {
  const seats = new Map<Socket, Seat>();
  /** Those without an answer under way, the one that has been so for longest first. */
  const idle = new Set<Socket>();
  const counts = new Map<string, number>();
  const empty = Promise.withResolvers<void>();
  let draining = false;
  const leave = (socket: Socket) => {
    const seat = seats.get(socket);
    if (seat === undefined) return;
    seats.delete(socket);
    idle.delete(socket);
    if (draining && seats.size === 0) empty.resolve();
    if (seat.address === undefined) return;
    const left = (counts.get(seat.address) ?? 1) - 1;
    if (left > 0) counts.set(seat.address, left);
    else counts.delete(seat.address);
  };
  /** Ends this one and gives its seat away; false when there is none. */
  const vacate = (socket: Socket | undefined): boolean => {
    if (socket === undefined) return false;
    leave(socket);
    // At once: nothing is left to send, and a request that comes now must not be carried out unheard.
    socket.destroy();
    return true;
  };
  const findRoom = (address: string | undefined): boolean => {
    if (address !== undefined && (counts.get(address) ?? 0) >= limits.connectionsOfOne)
      return vacate(idle.values().find((socket) => seats.get(socket)?.address === address));
    return seats.size < limits.connections || vacate(idle.values().next().value);
  };
  server.on("connection", (socket: Socket) => {
    const address = countedAs(socket.remoteAddress ?? "");
    if (draining || !findRoom(address)) return void socket.destroy();
    seats.set(socket, { address, answers: 0 });
    idle.add(socket);
    if (address !== undefined) counts.set(address, (counts.get(address) ?? 0) + 1);
    socket.once("close", () => leave(socket));
  });
  server.on("request", ({ socket }: { readonly socket: Socket }, response: ServerResponse) => {
    const seat = seats.get(socket);
    if (seat === undefined) return;
    seat.answers++;
    idle.delete(socket);
    response.once("close", () => {
      seat.answers--;
      if (seat.answers > 0 || !seats.has(socket)) return;
      idle.add(socket);
      if (draining) socket.destroySoon();
    });
  });
  return {
    drain() {
      draining = true;
      if (seats.size === 0) empty.resolve();
      for (const socket of idle) socket.destroySoon();
      return empty.promise;
    },
    destroy() {
      for (const socket of seats.keys()) socket.destroy();
    },
  };
}

/** The address that a connection is counted under. */
function countedAs(remote: string): string | undefined {
  const address = remote.replace(/^::ffff:(?=\d+\.)/, "");
  return address === "::1" || address.startsWith("127.") ? undefined : address;
}
