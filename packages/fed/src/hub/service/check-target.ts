import type { Clock } from "#base/clock.ts";
import type { CheckTarget } from "#hub/check/loop.ts";
import type { ProbeOutcome } from "#port/probe.ts";
import { relayOf } from "./relay.ts";
import type { Placed } from "./site.ts";
import type { Sites } from "./sites.ts";
import type { WantedService } from "./wanted.ts";

/** What checks of an instance need of the world. */
export interface CheckPlace {
  readonly sites: Pick<Sites, "run">;
  readonly clock: Clock;
  /** What services inherit; a command check runs with it. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Where and how an instance is checked; `service`: as wished, if it still is. */
export function checkTargetOf(
  place: CheckPlace,
  placed: Placed,
  service: WantedService | undefined,
): Omit<CheckTarget, "contract"> {
  const { instance, machine } = placed;
  const { host, port } = instance.address;
  return {
    address: { ...instance.address, relayMs: relayOf(placed) },
    folder: service?.workload.kind === "process" ? service.workload.folder : "/",
    environment: { ...place.inherited, PORT: String(port), HOST: host },
    ...(machine === "" ? {} : { run: commandIn(place, instance.id) }),
  };
}

/** A check by a command that runs inside a container. */
function commandIn({ sites, clock }: CheckPlace, id: string) {
  return async (argv: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ProbeOutcome> => {
    const beganMs = clock.tickMs();
    const { code } = await sites.run(id, argv, timeoutMs, signal);
    const tookMs = clock.tickMs() - beganMs;
    return code === 0 ? { kind: "healthy", tookMs } : { kind: "unhealthy", reason: `exit code ${code}` };
  };
}
