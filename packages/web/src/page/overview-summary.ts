import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import type { Tone } from "../view/tone.ts";

/** Of so many, so many are as they should be. */
export interface Share {
  readonly good: number;
  readonly all: number;
  readonly tone: Tone;
}

/** The services: bad when one is down, busy while one is on its way. Pure. */
export function serviceShare(services: readonly Pick<ServiceStatus, "state">[]): Share {
  const good = services.filter(({ state }) => state === "healthy").length;
  const bad = services.some(({ state }) => state === "gave up" || state === "unhealthy" || state === "backing off");
  return { good, all: services.length, tone: toneOf(good, services.length, bad) };
}

/** The machines that should be there: a workstation may be away. Pure. */
export function machineShare(machines: readonly Pick<WireMachine, "state" | "kind">[]): Share {
  const counted = machines.filter(({ kind, state }) => kind === "server" || state === "online");
  const good = counted.filter(({ state }) => state === "online").length;
  return {
    good,
    all: counted.length,
    tone: toneOf(
      good,
      counted.length,
      counted.some(({ state }) => state === "offline"),
    ),
  };
}

function toneOf(good: number, all: number, bad: boolean): Tone {
  if (bad) return "bad";
  if (all === 0) return "idle";
  return good === all ? "good" : "info";
}

export interface Matrix {
  readonly environments: readonly string[];
  readonly rows: readonly {
    readonly service: string;
    /** One for each environment, in their order; undefined where it does not run. */
    readonly cells: readonly (ServiceStatus | undefined)[];
  }[];
}

/** Environments × services. Pure. */
export function matrixOf({ environments, services }: Pick<HubStatus, "environments" | "services">): Matrix {
  const all = [...new Set([...environments, ...services.map(({ environment }) => environment)])];
  const names = [...new Set(services.map(({ service }) => service))].sort((a, b) => a.localeCompare(b));
  return {
    environments: all,
    rows: names.map((service) => ({
      service,
      cells: all.map((environment) =>
        services.find((one) => one.environment === environment && one.service === service),
      ),
    })),
  };
}

/** Servers and workstations apart, each by name. Pure. */
export function groupMachines(machines: readonly WireMachine[]) {
  const byName = [...machines].sort((a, b) => a.name.localeCompare(b.name));
  return {
    servers: byName.filter(({ kind }) => kind === "server"),
    workstations: byName.filter(({ kind }) => kind === "workstation"),
  };
}
