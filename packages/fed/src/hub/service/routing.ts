import { toFault } from "#base/fault.ts";
import type { Ingress, IngressRoute, RouteTarget } from "#port/ingress.ts";
import type { Placed } from "./site.ts";
import type { WantedService } from "./wanted.ts";

/** An ingress and where it is. */
export interface Gate {
  readonly ingress: Ingress;
  /** The machine it is on, where it finds instances at their own addresses; undefined: it is the hub's. */
  readonly machine: string | undefined;
  /** Changes when the same routes are to be applied once more. */
  readonly version?: string | undefined;
  /** Looks at the certificates that it is given. */
  look?(): Promise<GateLook>;
}

export interface GateLook {
  /** Whether one is for this name: otherwise it is served without TLS rather than not at all. */
  covers(host: string): boolean;
  /** Changes when the certificates do. */
  readonly version: string;
}

/** The doors through which requests come. */
export interface Gates {
  /** The hub's own, which also has the doors between services. */
  readonly own: Gate;
  /** The one that leads people to what runs on a machine. */
  of(machine: string): Gate;
}

/** What the routes are made from. */
export interface RouteTable {
  readonly services: readonly Pick<WantedService, "key" | "machine" | "route" | "tls" | "door">[];
  readonly targets: ReadonlyMap<string, readonly Placed[]>;
}

/** The tables of the ingresses: one switch at a time for each, and a later one always contains those before it. */
export interface Routing {
  /**
   * Makes these the routes, acknowledged by the hub's own ingress and by that of the service. One that has led to the service and is not
   * its ingress any more is told as well; when it does not answer, that holds nobody up.
   */
  apply(table: RouteTable, signal: AbortSignal, service?: string): Promise<void>;
  /**
   * Makes these the routes whoever they are about, acknowledged by the hub's own ingress. Those of machines are told as well, which holds
   * nobody up: one that does not answer is told again when it is looked after, one that is not seen is left alone.
   */
  announce(table: RouteTable, isUnseen: (machine: string) => boolean, signal: AbortSignal): Promise<void>;
  /**
   * Makes them the routes of every ingress that leads to others: of one that did not answer, or that has lost them (a Caddy that was
   * started again). Machines that are not seen are left alone. `once`: machines where services were, whose ingress may lead to them
   * still from before this hub. Answers what went wrong, by machine.
   */
  tend(
    table: RouteTable,
    isUnseen: (machine: string) => boolean,
    signal: AbortSignal,
    once?: Iterable<string>,
  ): Promise<ReadonlyMap<string, string>>;
  /** From the next switch on the doors are open at this address of the hub's machine, too: containers see it there. Whether that is new. */
  openAt(host: string): boolean;
  /**
   * The machine surely has this address now, since a container runs in its network: Podman makes it with the first one only. Whether the
   * doors may not be open there yet: the next switch opens them, whatever else it changes.
   */
  isThere(host: string): boolean;
  /** Waits until nothing is in flight to an instance, in any ingress that has led to it. */
  drain(instance: string, deadlineMs: number, signal: AbortSignal): Promise<void>;
}

interface Line {
  readonly gate: Gate;
  /** The last acknowledged table. */
  applied: string | undefined;
  /** It was asked where it led before this hub. */
  recalled: boolean;
  /** Instances that it has led to and that were not drained since. */
  readonly led: Set<string>;
  /** Keys of the services that it leads to somebody. */
  leads: ReadonlySet<string>;
  turn: Promise<unknown>;
}

/**
 * `recall` hears where the ingress of a machine leads when this hub asks it first: it goes on while there is no hub, and is not to lose
 * what it leads to before the next one knows better.
 */
export function openRouting(gates: Gates, recall: (routes: readonly IngressRoute[]) => void): Routing {
  const lines = new Map<Ingress, Line>();
  const hosts = new Set<string>();
  const hostsThere = new Set<string>();
  const lineOf = (gate: Gate): Line => {
    const fresh = {
      gate,
      applied: undefined,
      recalled: gate === gates.own,
      led: new Set<string>(),
      leads: new Set<string>(),
    };
    const line = lines.get(gate.ingress) ?? { ...fresh, turn: Promise.resolve() };
    lines.set(gate.ingress, line);
    return line;
  };

  /** Where it led before this hub, and who still answers requests of then. */
  async function remember(line: Line, signal: AbortSignal): Promise<void> {
    const { routes, inFlight } = await line.gate.ingress.status(signal);
    recall(routes);
    for (const { targets } of routes) for (const { instance } of targets) line.led.add(instance);
    for (const instance of Object.keys(inFlight)) line.led.add(instance);
    line.leads = servicesIn(routes);
    line.recalled = true;
  }

  function switchTo(line: Line, table: RouteTable, signal: AbortSignal): Promise<unknown> {
    const next = line.turn.then(async () => {
      if (!line.recalled) await remember(line, signal);
      const look = await line.gate.look?.();
      const routes = routesAt(line.gate, gates, table, [...hosts], look?.covers);
      const there = line.gate === gates.own ? [...hostsThere] : [];
      const text = JSON.stringify([routes, line.gate.version, look?.version, there]);
      if (text === line.applied) return;
      // One that has nothing to lead to need not be there, unless it led to somebody before this hub.
      const isIdle = line.applied === undefined && routes.length === 0 && line.leads.size === 0;
      if (isIdle && line.gate !== gates.own) return;
      for (const { targets } of routes) for (const { instance } of targets) line.led.add(instance);
      // Who does not answer may have taken it all the same: then it is to be told again, whatever is wanted.
      if (line.applied !== undefined) line.applied = "";
      await line.gate.ingress.apply(routes, signal);
      line.applied = text;
      line.leads = servicesIn(routes);
    });
    line.turn = next.catch(() => undefined);
    return next;
  }

  /** The ingresses of machines that can be asked, also those that led somewhere before. */
  function seenOthers({ services }: RouteTable, isUnseen: (machine: string) => boolean): readonly Line[] {
    for (const { machine } of services) lineOf(gates.of(machine));
    return [...lines.values()].filter(({ gate }) => gate !== gates.own && !isUnseen(gate.machine ?? ""));
  }

  /** Whether it still leads where it was told to. */
  async function lookAgain(line: Line, signal: AbortSignal): Promise<void> {
    const before = line.applied;
    const { routes } = await line.gate.ingress.status(signal);
    const [told] = JSON.parse(before || "[[]]") as [readonly IngressRoute[]];
    // What was applied meanwhile is newer than what was seen.
    if (line.applied === before && placesOf(routes) !== placesOf(told)) line.applied = "";
  }

  return {
    async apply(table, signal, service) {
      const machine = table.services.find(({ key }) => key === service)?.machine;
      const waits = new Set([lineOf(gates.own), ...(machine === undefined ? [] : [lineOf(gates.of(machine))])]);
      const before = [...lines.values()].filter((line) => !waits.has(line) && line.leads.has(service ?? ""));
      await Promise.all([
        ...[...waits].map((line) => switchTo(line, table, signal)),
        // It is told again when it is looked after.
        ...before.map((line) => switchTo(line, table, signal).catch(() => signal.throwIfAborted())),
      ]);
    },
    async announce(table, isUnseen, signal) {
      for (const line of seenOthers(table, isUnseen)) switchTo(line, table, signal).catch(() => undefined);
      await switchTo(lineOf(gates.own), table, signal);
    },
    async tend(table, isUnseen, signal, once = []) {
      const used = new Set(table.services.map(({ machine }) => lineOf(gates.of(machine))));
      for (const machine of once) lineOf(gates.of(machine));
      const others = seenOthers(table, isUnseen);
      const failures = new Map<string, string>();
      await Promise.all(
        others.map(async (line) => {
          try {
            if (line.applied !== undefined) await lookAgain(line, signal);
            await switchTo(line, table, signal);
          } catch (thrown) {
            signal.throwIfAborted();
            if (used.has(line) || line.leads.size > 0) failures.set(line.gate.machine ?? "", toFault(thrown).message);
          }
        }),
      );
      return failures;
    },
    openAt(host) {
      const isNew = !hosts.has(host);
      hosts.add(host);
      return isNew;
    },
    isThere(host) {
      const isNew = !hostsThere.has(host);
      hostsThere.add(host);
      return isNew;
    },
    async drain(instance, deadlineMs, signal) {
      await Promise.all(
        [...lines.values()].map(async (line) => {
          const { gate, led, recalled } = line;
          if (gate !== gates.own && recalled && !led.has(instance)) return;
          const drained = gate.ingress.drain(instance, deadlineMs, signal);
          // Whether it has led there nobody knows: one that does not answer must not hold up those of others.
          await (recalled ? drained : drained.catch(() => signal.throwIfAborted()));
          led.delete(instance);
        }),
      );
    },
  };
}

function servicesIn(routes: readonly IngressRoute[]): ReadonlySet<string> {
  return new Set(routes.flatMap(({ service, targets }) => (targets.length === 0 ? [] : [service])));
}

/** Which name leads to whom, whatever the order. */
function placesOf(routes: readonly IngressRoute[]): string {
  const lines = routes.map(({ match, targets }) => {
    const name = match.kind === "host" ? match.host : `door ${match.port}`;
    return `${name} ${targets.map(({ instance }) => instance).toSorted()}`;
  });
  return lines.toSorted().join("\n");
}

/** The whole table of an ingress: each service by its host name and by its door, with the targets it has now. Pure. */
export function routesAt(
  gate: Gate,
  gates: Gates,
  { services, targets }: RouteTable,
  hosts: readonly string[],
  covers: (host: string) => boolean = () => true,
): readonly IngressRoute[] {
  const routes: IngressRoute[] = [];
  for (const { key, machine, route, tls, door } of services) {
    const common = { service: key, targets: (targets.get(key) ?? []).map((one) => targetAt(gate, one)) };
    if (route !== undefined && gates.of(machine).ingress === gate.ingress) {
      const host = route.toLowerCase();
      const secured = tls === undefined || (tls === "given" && !covers(host)) ? {} : { tls: { kind: tls } };
      routes.push({ match: { kind: "host", host, ...secured }, ...common });
    }
    if (door && gate === gates.own)
      routes.push({ match: { kind: "door", ...door, ...(hosts.length === 0 ? {} : { hosts }) }, ...common });
  }
  return routes;
}

function targetAt(gate: Gate, { instance, machine, there }: Placed): RouteTarget {
  return { instance: instance.id, ...(gate.machine === machine ? there : instance.address) };
}
