import type { Socket } from "node:net";
import type { Clock } from "#base/clock.ts";
import { limit } from "./limit.ts";
import type { Flight } from "./upstream.ts";
import { type FrameTrack, goodbye, trackFrames } from "./web-socket.ts";

export interface Tunnel {
  readonly client: Socket;
  readonly instance: Socket;
  /** Called once, when both are closed. */
  onEnd(): void;
}

/** What each of the two has said already, right behind the upgrade. */
export interface FirstBytes {
  readonly ofClient: Buffer;
  readonly ofInstance: Buffer;
}

/**
 * Joins two connections: what one sends the other gets, each end of a direction is passed on by itself (a half-closed
 * connection stays half open), an error ends both. Cutting it closes both.
 */
export function openTunnel(tunnel: Tunnel): Flight {
  const cut = join(tunnel);
  tunnel.client.pipe(tunnel.instance);
  tunnel.instance.pipe(tunnel.client);
  return { seat: -1, cut };
}

/** The same for WebSockets: cut, both sides are told that the other goes away before their connections end. */
export function openWebSocketTunnel(tunnel: Tunnel, first: FirstBytes, clock: Clock): Flight {
  const { client, instance } = tunnel;
  const cut = join(tunnel);
  const ways = [
    pass(client, instance, first.ofClient, goodbye.toInstance),
    pass(instance, client, first.ofInstance, goodbye.toClient),
  ];
  return {
    seat: -1,
    cut() {
      const timer = clock.after(limit.farewellMs, cut);
      for (const socket of [client, instance]) socket.once("close", timer.cancel);
      for (const tell of ways) tell();
    },
  };
}

/** Ends one with the other; answers what ends both at once. */
function join({ client, instance, onEnd }: Tunnel): () => void {
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
  return cut;
}

/** One direction of a WebSocket; what it answers says goodbye after the frame that is on its way, and passes nothing on any more. */
function pass(from: Socket, to: Socket, first: Buffer, farewell: Buffer): () => void {
  const track: FrameTrack = trackFrames();
  const note = (bytes: Buffer) => void track.take(bytes);
  if (first.length > 0) {
    note(first);
    to.write(first);
  }
  from.on("data", note);
  from.pipe(to);
  let told = false;
  const tell = () => {
    if (track.closed) to.end();
    else to.end(farewell);
  };
  return () => {
    if (told) return;
    told = true;
    from.off("data", note).unpipe(to);
    if (track.between) tell();
    else {
      from.on("data", (bytes: Buffer) => {
        if (track.between) return;
        to.write(bytes.subarray(0, track.take(bytes, true)));
        if (track.between) tell();
      });
    }
    from.resume();
  };
}
