import { nearest } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import type { HandlersOf } from "#wire/handler.ts";
import type { Control } from "./control.ts";
import { chooseInstances, instancesWithOutput, type OutputNeeds, readOutput } from "./output.ts";
import { keyOf } from "./service.ts";
import type { ByHand, WantedService } from "./wanted.ts";

/** The handlers of services. */
export function serviceHandlers(
  needs: OutputNeeds & { readonly control: Control; readonly byHand: ByHand },
): HandlersOf<
  "restart" | "stopService" | "startService" | "scaleService" | "destroyService" | "keptData" | "logs" | "keptLogs"
> {
  const { control, byHand, kept } = needs;
  return {
    restart({ environment, service }, { actor, correlation }) {
      const { key } = requireSupported(control, keyOf(environment, service));
      control.forgive(key);
      byHand.restart(key, { actor, correlation });
      return { done: true };
    },
    stopService({ environment, service }, { actor, correlation }) {
      byHand.stop(requireService(control, keyOf(environment, service)).key, { actor, correlation });
      return { done: true };
    },
    startService({ environment, service }, { actor, correlation }) {
      const { key } = requireSupported(control, keyOf(environment, service));
      control.forgive(key);
      byHand.start(key, { actor, correlation });
      return { done: true };
    },
    scaleService({ environment, service, replicas }, { actor, correlation }) {
      const wanted = requireSupported(control, keyOf(environment, service));
      if (replicas !== undefined && replicas > 1) requireScalable(wanted);
      byHand.scale(wanted.key, replicas, { actor, correlation });
      return { done: true };
    },
    async destroyService({ environment, service, data, unused }, { actor, correlation, signal }) {
      const wish = { environment, service, data: unused ? "unused" : data ? "all" : "none" } as const;
      return { volumes: [...(await control.destroy(wish, byHand, { actor, correlation }, signal))] };
    },
    async keptData(_, { signal }) {
      const { data, unseen } = await control.data(signal);
      return {
        data: data.map(({ machine, ...one }) => ({ ...one, ...(machine && { machine }) })),
        unseen: [...unseen.keys()],
      };
    },
    logs(query, { signal }) {
      // Now, not with the first line: then it is an answer like any other.
      const known = instancesWithOutput(needs, query);
      // What a service wrote that the lab does not have any more is there all the same.
      if (known.gone.length === 0) requireService(control, keyOf(query.environment, query.service));
      chooseInstances(known, query);
      return readOutput(needs, query, signal);
    },
    keptLogs({ environment, service }) {
      const logs = kept.list(environment, service);
      if (logs.length === 0) requireService(control, keyOf(environment, service));
      return {
        logs: logs.map(({ instance, release, startedMs, endedMs, exit, sizeBytes }) => ({
          ...{ instance, startedMs, endedMs, exit, sizeBytes },
          ...(release === undefined ? {} : { release }),
        })),
      };
    },
  };
}

function requireService(control: Control, key: string): WantedService {
  const services = control.services();
  const found = services.find((service) => service.key === key);
  if (found) return found;
  const keys = services.map((service) => service.key);
  const meant = nearest(key, keys);
  throw new Fault("missing", `the lab has no service ${key}`, {
    hint: meant === undefined ? `It has: ${keys.join(", ") || "none"}.` : `Did you mean ${meant}?`,
  });
}

function requireSupported(control: Control, key: string): WantedService {
  const wanted = requireService(control, key);
  if (wanted.unsupported === undefined) return wanted;
  throw new Fault("unsupported", `${key} does not run here: ${wanted.unsupported}`);
}

function requireScalable({ key, stopFirst }: WantedService): void {
  if (stopFirst === undefined) return;
  throw new Fault("conflict", `${key} cannot run more than one instance: ${stopFirst}`);
}
