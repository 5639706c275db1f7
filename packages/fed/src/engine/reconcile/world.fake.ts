import { Fault } from "#base/fault.ts";
import type { Action, Observed, ObservedInstance } from "./plan.ts";

/** A world in memory that carries out actions and refuses what no runtime or ingress would bear. */
export interface FakeWorld {
  observe(): Observed;
  /** Throws a Fault when the action fails, and an Error when it should never have been asked for. */
  execute(action: Action): void;
  /** One of the running instances ends by itself: the `at`th, counted around. It stays routed until a switch. */
  crash(at: number): void;
  /** A running instance is routed and healthy. */
  serves(service: string): boolean;
}

interface Cell {
  seen: ObservedInstance;
}

/** `isSick`: whether instances of this service and spec never become healthy. */
export function makeWorld(
  instances: readonly ObservedInstance[],
  isSick: (service: string, spec: string) => boolean,
): FakeWorld {
  const cells = new Map<string, Cell>(instances.map((seen) => [seen.id, { seen, drained: false }]));
  let born = 0;
  const change = (cell: Cell, change: Partial<ObservedInstance>) => {
    cell.seen = { ...cell.seen, ...change };
  };
  const cellOf = (id: string): Cell => {
    const cell = cells.get(id);
    if (!cell) throw new Error(`there is no ${id}`);
    return cell;
  };
  const runningOf = (service: string, spec: string | undefined, except: readonly string[]) =>
    [...cells.values()].filter(
      ({ seen }) =>
        seen.service === service && seen.spec === spec && seen.state === "running" && !except.includes(seen.id),
    );

  function start({ service, spec, replica }: Extract<Action, { kind: "start" }>): void {
    const id = `n${String(born++).padStart(4, "0")}`;
    const seen = { id, service, spec, replica, state: "running", health: "unknown", routed: false } as const;
    cells.set(id, { seen });
  }

  function check({ service, spec, atLeast, except }: Extract<Action, { kind: "check" }>): void {
    const asked = runningOf(service, spec, except);
    if (asked.length < atLeast) throw new Fault("conflict", `fewer than ${atLeast} run`);
    for (const cell of asked) {
      const well = cell.seen.health === "healthy" || (cell.seen.health === "unknown" && !isSick(service, spec));
      change(cell, well ? { health: "healthy" } : { health: "unhealthy", servesSinceMs: undefined });
    }
    if (asked.some(({ seen }) => seen.health !== "healthy")) throw new Fault("timeout", "not healthy within 60 s");
  }

  function switchTo({ service, spec, except }: Extract<Action, { kind: "switch" }>): void {
    const targets = runningOf(service, spec, except).filter(({ seen }) => seen.health === "healthy");
    if (spec !== undefined && targets.length === 0) throw new Fault("conflict", "nobody is healthy");
    for (const cell of cells.values()) {
      if (cell.seen.service !== service) continue;
      const routed = targets.includes(cell);
      // The clock stands at 0 while a plan is carried out.
      const { servesSinceMs = 0 } = cell.seen;
      change(cell, routed ? { routed, drained: false, servesSinceMs } : { routed, servesSinceMs: undefined });
    }
  }

  return {
    observe: () => ({ instances: Array.from(cells.values(), ({ seen }) => seen) }),
    crash(at) {
      const running = [...cells.values()].filter(({ seen }) => seen.state === "running");
      const cell = running[at % Math.max(1, running.length)];
      if (cell) change(cell, { state: "exited", health: "unknown", exit: "exit code 1" });
    },
    serves: (service) =>
      [...cells.values()].some(
        ({ seen }) => seen.service === service && seen.state === "running" && seen.routed && seen.health === "healthy",
      ),
    execute(action) {
      if (action.kind === "start") return start(action);
      if (action.kind === "check") return check(action);
      if (action.kind === "switch") return switchTo(action);
      const cell = cellOf(action.instance);
      if (cell.seen.unseen) throw new Error(`${action.kind} ${action.instance}, which cannot be seen`);
      if (cell.seen.routed) throw new Error(`${action.kind} ${action.instance}, which is routed`);
      switch (action.kind) {
        case "drain":
          return change(cell, { drained: true });
        case "stop":
          if (!cell.seen.drained) throw new Error(`stop ${action.instance}, which is not drained`);
          return change(cell, { state: "exited", exit: "exit code 0" });
        case "remove":
          if (cell.seen.state === "running") throw new Error(`remove ${action.instance}, which runs`);
          cells.delete(action.instance);
          return;
      }
    },
  };
}
