import type { LoopStatus } from "@fed/fed/wire/loop.ts";
import type { MachineState } from "@fed/fed/wire/machine.ts";
import type { InstanceStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import type { WireToken, WireUser } from "@fed/fed/wire/user.ts";
import type { Look } from "./tone.ts";
import { unreachable } from "./unreachable.ts";

/** The words and colours of states: here and nowhere else. Each table is closed over the states of the wire. */

const services: Readonly<Record<ServiceStatus["state"], Look>> = {
  healthy: { word: "healthy", tone: "good" },
  starting: { word: "starting", tone: "info", moving: true },
  replacing: { word: "replacing", tone: "info", moving: true },
  waiting: { word: "waiting", tone: "info", moving: true },
  unhealthy: { word: "unhealthy", tone: "bad" },
  "backing off": { word: "backing off", tone: "warn", moving: true },
  "gave up": { word: "gave up", tone: "bad" },
  unsupported: { word: "not supported", tone: "warn" },
  unknown: { word: "not known", tone: "warn" },
  stopping: { word: "stopping", tone: "idle", moving: true },
  stopped: { word: "stopped", tone: "idle" },
};

export function lookOfService(state: ServiceStatus["state"]): Look {
  return services[state];
}

/** What the reader can do about a service in this state; nothing where nothing is wrong or it mends itself. */
export function nextStepOf({ state }: Pick<ServiceStatus, "state">): string | undefined {
  switch (state) {
    case "gave up":
      return "Read the output below, mend the cause, then restart the service. An edit of the lab file that changes it also starts it afresh.";
    case "unsupported":
      return "Change the service in the lab file to something this version of fed runs; it is taken up as soon as you save.";
    case "backing off":
      return "It is tried again by itself, each time after a longer pause. The output below says why it ended.";
    case "unknown":
      return "Its machine cannot be asked, so what runs of it stays as it is. The hub tries again by itself.";
    case "unhealthy":
      return "It runs, but its health check fails. The output below may say why.";
    case "healthy":
    case "starting":
    case "replacing":
    case "waiting":
    case "stopping":
    case "stopped":
      return undefined;
    default:
      return unreachable(state);
  }
}

const machines: Readonly<Record<MachineState, Look>> = {
  online: { word: "online", tone: "good" },
  degraded: { word: "degraded", tone: "warn" },
  away: { word: "away", tone: "idle" },
  offline: { word: "offline", tone: "bad" },
  unknown: { word: "not seen yet", tone: "info" },
};

export function lookOfMachine(state: MachineState): Look {
  return machines[state];
}

/** An instance that runs is as it answers; one that does not has ended. */
export function lookOfInstance({ state, health, routed }: Pick<InstanceStatus, "state" | "health" | "routed">): Look {
  if (state === "exited") return { word: "ended", tone: "idle" };
  if (health === "unhealthy") return { word: "unhealthy", tone: "bad" };
  if (health === "unknown") return { word: "not checked yet", tone: "info", moving: true };
  return routed ? { word: "healthy", tone: "good" } : { word: "healthy, gets no requests", tone: "info" };
}

const users: Readonly<Record<WireUser["state"], Look>> = {
  active: { word: "active", tone: "good" },
  invited: { word: "invited", tone: "info" },
  disabled: { word: "disabled", tone: "idle" },
};

export function lookOfUser(state: WireUser["state"]): Look {
  return users[state];
}

const tokens: Readonly<Record<WireToken["state"], Look>> = {
  active: { word: "active", tone: "good" },
  expired: { word: "expired", tone: "warn" },
  revoked: { word: "revoked", tone: "idle" },
};

export function lookOfToken(state: WireToken["state"]): Look {
  return tokens[state];
}

/** A loop is as its last run went; one that has not run yet is only waiting. */
export function lookOfLoop({ state, last }: Pick<LoopStatus, "state" | "last">): Look {
  if (state === "running") return { word: "running", tone: "info", moving: true };
  if (state === "stopped") return { word: "stopped", tone: "idle" };
  if (!last) return { word: "not run yet", tone: "idle" };
  if (last.outcome === "ok") return { word: "ok", tone: "good" };
  return last.outcome === "failed" ? { word: "failed", tone: "bad" } : { word: "took too long", tone: "warn" };
}
