/** Port `probe` from this machine: Node's own HTTP, TCP and processes. */
import type { Clock } from "#base/clock.ts";
import type { Probe } from "#port/probe.ts";
import { probeWithin } from "#port/probe-limit.ts";
import { askCommand } from "./ask-command.ts";
import { askHttp, askTcp } from "./ask-network.ts";

export function makeLocalProbe(clock: Clock): Probe {
  return {
    name: "local",
    http: (address, path, timeoutMs, signal) =>
      probeWithin(clock, timeoutMs, signal, (inner) => askHttp(address, path, inner)),
    tcp: (address, timeoutMs, signal) =>
      probeWithin(clock, timeoutMs, signal, (inner) => askTcp(address, clock, inner)),
    command: (run, timeoutMs, signal) => probeWithin(clock, timeoutMs, signal, (inner) => askCommand(run, inner)),
  };
}
