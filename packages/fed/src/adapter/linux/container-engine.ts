import type { ToldContainer } from "#port/collector.ts";
import { ownText, shown } from "./shown.ts";

/** What an engine says of a container. */
export interface EngineContainer
  extends Pick<
    ToldContainer,
    "id" | "name" | "image" | "engine" | "state" | "health" | "exitCode" | "restarts" | "startedMs"
  > {
  /** Its last run was ended for using more memory than it may. */
  readonly oomKilled?: boolean;
  /** It has no network of its own; left out until it is known. */
  readonly hostNetwork?: boolean;
}

type Engine = EngineContainer["engine"];

interface Known {
  readonly containers: Map<string, EngineContainer>;
  /** Why it could not be asked the last time. */
  problem: string | undefined;
}

/** The script asks an engine for so many and one more. */
const most = 500;
const names = { docker: "Docker", podman: "Podman" } as const;

/**
 * Lines of the tick in which an engine was asked: `e ENGINE`, then `l ID NAMES|IMAGE|STATUS` of each container, and now and then
 * `i ID|RESTARTS|OOM KILLED|STARTED|NETWORK`; or `f ENGINE CODE MESSAGE` when it did not answer, `no ENGINE USER` when we may not ask it,
 * `gone ENGINE` when there is none. What was said last holds until the engine is asked again.
 */
export function openEngines() {
  const engines: Readonly<Record<Engine, Known>> = {
    docker: { containers: new Map(), problem: undefined },
    podman: { containers: new Map(), problem: undefined },
  };
  return {
    /** Why an engine could not tell all. */
    read(lines: readonly string[]): readonly string[] {
      for (const [engine, text] of sortLines(lines)) readEngine(engine, engines[engine], text);
      return Object.values(engines).flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    },
    known(): ReadonlyMap<string, EngineContainer> {
      return new Map([...engines.docker.containers, ...engines.podman.containers]);
    },
  };
}

/** Which lines are of which engine; without those of cgroups. */
function sortLines(lines: readonly string[]): ReadonlyMap<Engine, readonly string[]> {
  const sorted = new Map<Engine, string[]>();
  let now: string[] | undefined;
  for (const line of lines) {
    const [, engine] = /^(?:e|no|gone) (docker|podman)\b/.exec(line) ?? [];
    if (engine === "docker" || engine === "podman") {
      now = [];
      sorted.set(engine, now);
    }
    if (!/^[cn] /.test(line)) now?.push(line);
  }
  return sorted;
}

function readEngine(engine: Engine, known: Known, lines: readonly string[]): void {
  const before = new Map(known.containers);
  known.containers.clear();
  known.problem = undefined;
  let listed = 0;
  for (const line of lines) {
    if (line.startsWith("l ")) {
      const container = readListed(engine, line, before);
      if (container !== undefined && listed++ < most) known.containers.set(container.id, container);
    } else if (line.startsWith("i ")) inspect(known.containers, line);
    else if (line.startsWith("no ")) {
      const [, user = "the user"] = /^no docker (.*)$/.exec(line) ?? [];
      known.problem = `${shown(user, 64)} may not ask Docker: add ${shown(user, 64)} to the group docker`;
    } else if (line.startsWith("f ")) {
      known.problem = tellFailure(engine, line);
      // They may be there still: what runs is seen by its cgroup.
      for (const [id, container] of before) known.containers.set(id, container);
    }
  }
  if (listed > most) known.problem = `more than ${most} containers, of which the newest ${most} are shown`;
}

function tellFailure(engine: Engine, line: string): string {
  const [, code, message = ""] = /^f \w+ (\d{1,3}) ?(.*)$/.exec(line) ?? [];
  if (code === "124" || code === "137") return `${names[engine]} did not answer within 4 s`;
  if (code === "125" && message === "") return `${names[engine]} is not asked: the machine has no command timeout`;
  if (code === "127") return `${names[engine]} runs, but its command ${engine} is not there`;
  return `${names[engine]} did not answer: ${shown(message, 200) || `code ${code ?? "unknown"}`}`;
}

function readListed(
  engine: Engine,
  line: string,
  before: ReadonlyMap<string, EngineContainer>,
): EngineContainer | undefined {
  const [, id, name = "", image = "", status = ""] = /^l ([0-9a-f]{64}) ([^|]*)\|([^|]*)\|(.*)$/.exec(line) ?? [];
  if (id === undefined) return undefined;
  const old = before.get(id);
  return {
    id: ownText(id),
    engine,
    // One that others link to has more than one name; its own has no slash.
    name: shown(name.split(",").find((one) => !one.includes("/")) ?? name, 200),
    image: shown(image, 300),
    ...readStatus(status),
    ...(old?.restarts === undefined ? {} : { restarts: old.restarts }),
    ...(old?.startedMs === undefined ? {} : { startedMs: old.startedMs }),
    ...(old?.oomKilled === undefined ? {} : { oomKilled: old.oomKilled }),
    ...(old?.hostNetwork === undefined ? {} : { hostNetwork: old.hostNetwork }),
  };
}

/** `Up 3 days (healthy)`, `Exited (137) 2 hours ago`, `Restarting (1) 5 seconds ago`, `Up 2 hours (Paused)`, `Created`, `Dead`. */
export function readStatus(status: string): Pick<EngineContainer, "state" | "health" | "exitCode"> {
  const [, first = "", code] = /^(\w+)(?: \((-?\d{1,10})\))?/.exec(status) ?? [];
  const word = first.toLowerCase();
  const [, health] = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(status) ?? [];
  const running = word === "up" ? (status.includes("(Paused)") ? "paused" : "running") : undefined;
  return {
    state: running ?? (word === "" ? "unknown" : word === "stopped" ? "exited" : ownText(word.slice(0, 30))),
    ...(health === "healthy" || health === "unhealthy" || health === "starting" ? { health } : {}),
    ...(code === undefined || word === "up" ? {} : { exitCode: Number(code) }),
  };
}

function inspect(containers: Map<string, EngineContainer>, line: string): void {
  const [, id = "", restarts, killed, started = "", network = ""] =
    /^i ([0-9a-f]{64})\|(\d{1,9})\|(true|false)\|"?([^|"]{0,64})"?\|(.*)$/.exec(line) ?? [];
  const container = containers.get(id);
  if (container === undefined || restarts === undefined) return;
  const startedMs = Date.parse(started);
  containers.set(id, {
    ...container,
    restarts: Number(restarts),
    oomKilled: killed === "true",
    hostNetwork: network === "host" || /^(?:container|ns):/.test(network),
    // One that was never started says the year 1.
    ...(startedMs > 0 ? { startedMs } : {}),
  });
}
