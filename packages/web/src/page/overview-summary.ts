import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { lookOfMachine, lookOfService } from "../view/state.ts";
import { type Look, type Tone, worstTone } from "../view/tone.ts";
import { reasonOf } from "./services-list.ts";

/** Of so many, so many are as they should be. */
export interface Share {
  readonly good: number;
  readonly all: number;
  readonly tone: Tone;
}

/** The services: as bad as the worst of them, busy while one is on its way. Pure. */
export function serviceShare(services: readonly Pick<ServiceStatus, "state">[]): Share {
  const good = services.filter(({ state }) => state === "healthy").length;
  return shareOf(
    good,
    services.map(({ state }) => lookOfService(state).tone),
  );
}

/** The machines that should be there: a workstation may be away. Pure. */
export function machineShare(machines: readonly Pick<WireMachine, "state" | "kind">[]): Share {
  const counted = machines.filter(({ kind, state }) => kind === "server" || state === "online" || state === "degraded");
  const good = counted.filter(({ state }) => state === "online").length;
  return shareOf(
    good,
    counted.map(({ state }) => lookOfMachine(state).tone),
  );
}

function shareOf(good: number, tones: readonly Tone[]): Share {
  const tone = worstTone(tones);
  return { good, all: tones.length, tone: tone === "idle" && tones.length > 0 ? "info" : tone };
}

/** Something that somebody should look at. */
export interface Trouble {
  readonly subject: "service" | "machine";
  /** `dev/api`, or the name of a machine. */
  readonly name: string;
  readonly look: Look;
  /** In plain words; "" when there is nothing to say. */
  readonly why: string;
}

/** What does not mend itself unseen, the worst first: machines, then services. Pure. */
export function troublesOf(
  services: readonly Pick<
    ServiceStatus,
    "environment" | "service" | "state" | "detail" | "crashes" | "instances" | "differs" | "certificate"
  >[],
  machines: readonly Pick<WireMachine, "name" | "state" | "detail">[],
): readonly Trouble[] {
  const found = [
    ...machines.map(
      ({ name, state, detail }): Trouble => ({ subject: "machine", name, look: lookOfMachine(state), why: detail }),
    ),
    ...services.map(
      (one): Trouble => ({
        subject: "service",
        name: `${one.environment}/${one.service}`,
        ...troubleOf(one),
      }),
    ),
  ];
  const weights: readonly Tone[] = ["bad", "warn"];
  return weights.flatMap((weight) => found.filter(({ look }) => look.tone === weight));
}

/** What starts again after a failure is no better for it; what runs well may be another thing than the lab says. */
function troubleOf(
  service: Pick<ServiceStatus, "state" | "detail" | "crashes" | "instances" | "differs" | "certificate">,
): Pick<Trouble, "look" | "why"> {
  const { state, crashes, differs, certificate } = service;
  const look = lookOfService(state);
  if (state === "starting" && crashes > 0) return { look: { ...look, tone: "warn" }, why: reasonOf(service) };
  if (state === "healthy" && certificate !== undefined)
    return { look: { word: "certificate", tone: "warn" }, why: certificate };
  if (state === "healthy" && differs !== undefined)
    return { look: { word: "not as the lab says", tone: "warn" }, why: differs };
  return { look, why: reasonOf(service) };
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

/** `node2` comes before `node10`. */
const names = new Intl.Collator("en", { numeric: true });

/** Servers and workstations apart, each by name. Pure. */
export function groupMachines(machines: readonly WireMachine[]) {
  const byName = [...machines].sort((a, b) => names.compare(a.name, b.name));
  return {
    servers: byName.filter(({ kind }) => kind === "server"),
    workstations: byName.filter(({ kind }) => kind === "workstation"),
  };
}
