import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface Connections {
  /**
   * From now on takes no new connection, ends those without an answer under way at once and the others after it.
   * Resolves when none is left.
   */
  drain(): Promise<void>;
  /** Breaks off what is left. */
  destroy(): void;
}

/**
 * Knows which connections have an answer under way. Node's own `closeIdleConnections` takes one whose answer has been
 * written but not sent yet for idle, and cuts it off.
 */
export function trackConnections(server: Server): Connections {
  const answers = new Map<Socket, number>();
  const empty = Promise.withResolvers<void>();
  let draining = false;
  server.on("connection", (socket: Socket) => {
    if (draining) return void socket.destroy();
    answers.set(socket, 0);
    socket.once("close", () => {
      answers.delete(socket);
      if (draining && answers.size === 0) empty.resolve();
    });
  });
  server.on("request", ({ socket }, response: ServerResponse) => {
    answers.set(socket, (answers.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const left = (answers.get(socket) ?? 1) - 1;
      if (answers.has(socket)) answers.set(socket, left);
      if (draining && left === 0) socket.destroySoon();
    });
  });
  return {
    drain() {
      draining = true;
      if (answers.size === 0) empty.resolve();
      for (const [socket, count] of answers) if (count === 0) socket.destroySoon();
      return empty.promise;
    },
    destroy() {
      for (const socket of answers.keys()) socket.destroy();
    },
  };
}
