import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { makeRedactor } from "#base/redact.ts";
import { silentTrace } from "#base/trace.ts";
import { type FakeImages, makeFakeImages } from "#port/image.fake.ts";
import { makeFakeIngress } from "#port/ingress.fake.ts";
import { type FakeRuntime, makeFakeRuntime } from "#port/runtime.fake.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import type { Gates } from "./routing.ts";
import type { ResolvedService } from "./service.ts";
import { openSites, type SitesNeeds } from "./sites.ts";
import type { Wanted, WantedService } from "./wanted.ts";

/** A machine with an engine in memory that can be cut off. */
export interface FakeMachine {
  readonly runtime: FakeRuntime;
  readonly images: FakeImages;
  /** Undefined: it answers. */
  trouble: Fault | undefined;
}

/** The hub's processes and machines with engines, all in memory. Machines come up as they are asked for. */
export function makeSites(clock: Clock, options: Partial<SitesNeeds> = {}) {
  const processes = makeFakeRuntime({ clock, workloads: ["process"] });
  const machines = new Map<string, FakeMachine>();
  const machine = (name: string): FakeMachine => {
    const known = machines.get(name) ?? {
      runtime: makeFakeRuntime({ clock, workloads: ["image"] }),
      images: makeFakeImages(),
      trouble: undefined,
    };
    machines.set(name, known);
    return known;
  };
  const sites = openSites({
    ...{ clock, trace: silentTrace, processes, redactor: makeRedactor(), onEvent() {}, onChange() {} },
    isOurs: (lab) => lab !== "somebody else's",
    openShell: (name) => ({ shell: makeFakeShell(clock, name), local: true }),
    async openEngine(name) {
      const { runtime, images } = machine(name);
      const asked = <A extends unknown[], R>(deed: (...args: A) => Promise<R>) => {
        return async (...args: A): Promise<R> => {
          const { trouble } = machine(name);
          if (trouble) throw trouble;
          return deed(...args);
        };
      };
      await asked(async () => undefined)();
      return {
        runtime: {
          ...runtime,
          ...{ list: asked(runtime.list), start: asked(runtime.start), stop: asked(runtime.stop) },
          remove: asked(runtime.remove),
          hostAddress: async () => "172.18.0.1",
          async removeVolume() {},
          async close() {},
        },
        images,
      };
    },
    ...options,
  });
  return {
    ...{ sites, processes, machine },
    cutOff: (name: string) => {
      machine(name).trouble = new Fault("unreachable", "the cable is cut");
    },
  };
}

/** One ingress for everything. */
export function makeGates(clock: Clock): Gates & { readonly ingress: ReturnType<typeof makeFakeIngress> } {
  const ingress = makeFakeIngress(clock);
  const own = { ingress, machine: undefined };
  return { ingress, own, of: () => own };
}

/** What the lab says, wanted as it is, without releases. */
export function wantedOf(resolved: readonly ResolvedService[], hash = ""): Wanted {
  return { hash, services: resolved.map(asWanted) };
}

export function asWanted(resolved: ResolvedService): WantedService {
  const { workload } = resolved;
  const image = workload.kind === "process" ? workload : { kind: "image" as const, reference: "sha256:0" };
  return { ...resolved, workload: image, release: undefined, held: undefined, stopped: false };
}
