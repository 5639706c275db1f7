import { connect, type Socket } from "node:net";
import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import { noteFailure } from "./failure.ts";
import { limit } from "./limit.ts";
import { type LiveRoute, pickUpstream } from "./route.ts";
import { openTunnel } from "./tunnel.ts";
import type { Flight, Upstream } from "./upstream.ts";

export interface RawNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  /** The door's route as of now. */
  route(): LiveRoute | undefined;
}

/** Forwards a raw connection to an instance, or to another one when that cannot be reached; with none it is reset. */
export function forwardRaw(client: Socket, needs: RawNeeds, tried: readonly Upstream[] = []): void {
  const route = needs.route();
  const upstream = route && pickUpstream(route, tried, needs.clock.tickMs());
  if (upstream === undefined || tried.length >= limit.attempts) {
    client.resetAndDestroy();
    return;
  }
  const { host, port } = upstream.target;
  const instance = connect({ host, port, allowHalfOpen: true });
  const tooLong = needs.clock.after(limit.connectMs, () => instance.destroy(new Error("the connection took too long")));
  const flight: Flight = { seat: -1, cut: () => void client.destroy() };
  upstream.enter(flight);
  const clientLeft = () => instance.destroy();
  const settle = () => {
    tooLong.cancel();
    client.off("close", clientLeft).off("error", clientLeft);
    upstream.leave(flight);
  };
  const unreached = (error: Error) => {
    settle();
    upstream.avoidUntilMs = needs.clock.tickMs() + limit.avoidMs;
    noteFailure(needs, route?.service ?? "", upstream, error);
    if (!client.destroyed) forwardRaw(client, needs, [...tried, upstream]);
  };
  client.once("close", clientLeft).once("error", clientLeft);
  instance.once("error", unreached);
  instance.once("close", settle);
  instance.once("connect", () => {
    instance.off("error", unreached).off("close", settle);
    const tunnel = openTunnel({ client, instance, onEnd: () => upstream.leave(tunnel) });
    upstream.enter(tunnel);
    settle();
  });
}
