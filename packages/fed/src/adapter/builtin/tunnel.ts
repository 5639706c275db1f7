import type { Socket } from "node:net";
import { limit } from "./limit.ts";
import type { Flight } from "./upstream.ts";

/**
 * Joins two connections: what one sends the other gets, each end of a direction is passed on by itself (a half-closed
 * connection stays half open), an error ends both. Calls `onEnd` once, when both are closed. Cutting it closes both.
 */
export function openTunnel(client: Socket, instance: Socket, onEnd: () => void): Flight {
  const ends = [client, instance] as const;
  let open = ends.length;
  const cut = () => {
    client.destroy();
    instance.destroy();
  };
  for (const socket of ends) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limit.tcpKeepAliveMs);
    socket.on("error", cut);
    socket.once("close", () => {
      // Closed both ways: nothing more can come of the other end but what is still on its way out.
      for (const other of ends) if (!other.destroyed) other.destroySoon();
      open--;
      if (open === 0) onEnd();
    });
  }
  client.pipe(instance);
  instance.pipe(client);
  return { seat: -1, cut };
}
