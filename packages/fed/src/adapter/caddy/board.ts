/**
 * The switchboard: a folder on Caddy's machine in which each route has a folder of its own, and the first name in that says where its
 * requests go. Caddy looks there at each request (`route.ts` says how), so that a switch is one new file: no change of the
 * configuration, which would close connections and WebSockets. It holds while the hub is away.
 *
 * A route has a few lanes, taken in turn, because Caddy counts what is in flight by lane and seat: what is still in flight to the old
 * instances is counted apart from what goes to the new ones.
 */
import { Fault } from "#base/fault.ts";
import type { IngressRoute, RouteTarget } from "#port/ingress.ts";
import { limit } from "./limit.ts";

export const lanes = ["a", "b", "c", "d"] as const;
export type Lane = (typeof lanes)[number];

/** How many seats a lane can have. Targets sit in them by turns, so that up to three share the load evenly. */
const seatCounts = [6, 12, 24] as const;

/** A switch of one route, as its file tells it. */
export interface Setting {
  /** Which switch of the whole ingress it was part of. */
  readonly generation: number;
  /** Undefined while nobody serves. */
  readonly lane: Lane | undefined;
  readonly seats: readonly RouteTarget[];
}

/** A line of the switchboard. */
export interface Line {
  /** The newest first. Older ones stay while their lane is not needed, because they tell who is behind its seats. */
  readonly settings: readonly Setting[];
}

export interface Board {
  readonly generation: number;
  /** As of the last switch, without targets: those are told by the lines. */
  readonly routes: readonly IngressRoute[];
  readonly lines: ReadonlyMap<string, Line>;
}

export const emptyBoard: Board = { generation: 0, routes: [], lines: new Map() };

/** What a route is called in the configuration and on the switchboard. */
export function lineId({ match }: Pick<IngressRoute, "match">): string {
  if (match.kind === "door") return `door-${match.port}`;
  return `host-${plainHost(match.host).replace(/[^a-z0-9-]/g, (letter) => (letter === "." ? "_" : `_${letter.charCodeAt(0)}_`))}`;
}

/** As it is looked up: lower case, without the root's trailing dot. */
export function plainHost(host: string): string {
  return (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
}

/** Enough seats for the targets of each of these routes. */
export function seatsFor(routes: readonly IngressRoute[]): number {
  const most = Math.max(0, ...routes.map(({ targets }) => targets.length));
  const count = seatCounts.find((seats) => seats >= most);
  if (count === undefined) {
    throw new Fault("unsupported", `Caddy spreads a service over ${seatCounts.at(-1)} instances at most, not ${most}`);
  }
  return count;
}

/** The targets by turns in so many seats. */
export function seat(targets: readonly RouteTarget[], seats: number): readonly RouteTarget[] {
  if (targets.length === 0) return [];
  const bare = targets.map(({ instance, host, port }) => ({ instance, host, port }));
  return Array.from({ length: seats }, (_, i) => bare[i % bare.length] as RouteTarget);
}

/** Each target once, in order. */
export function targetsOf({ seats }: Setting): readonly RouteTarget[] {
  return seats.filter((one, i) => seats.findIndex((other) => other.instance === one.instance) === i);
}

/** As Caddy dials it. */
function dialText({ host, port }: RouteTarget): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const newest = 999_999_999;

/** The name of a setting's file: the newest is the first by name. Fault `unsupported` when no file can be called so. */
export function settingName({ generation, lane, seats }: Setting): string {
  const order = String(newest - generation).padStart(9, "0");
  const name = lane === undefined ? `${order}_none` : [order, lane, ...seats.map(dialText)].join("_");
  if (name.length > limit.nameSizeBytes || seats.some((one) => dialText(one).includes("_"))) {
    const where = [...new Set(seats.map(dialText))].join(", ");
    throw new Fault("unsupported", `Caddy's switchboard cannot hold the addresses ${where}`);
  }
  return name;
}

/** What Caddy finds in the name of a setting's file: one group for each seat. There may be more seats in it: they are about to be used. */
export function laneExpression(lane: Lane, seats: number): string {
  return `^/?[0-9]+_${lane}${"_([^_]+)".repeat(seats)}(?:_[^_]+)*$`;
}

/** The least used lane: the one whose last use is the longest ago, before others one with nothing in flight. */
export function freeLane(line: Line | undefined, isIdle: (lane: Lane) => boolean): Lane {
  const settings = line?.settings ?? [];
  const age = (lane: Lane) => {
    const at = settings.findIndex((one) => one.lane === lane);
    return at === -1 ? settings.length : at;
  };
  const current = settings[0]?.lane;
  const others = lanes.filter((lane) => lane !== current).sort((a, b) => age(b) - age(a));
  return others.find(isIdle) ?? (others[0] as Lane);
}

/** A file of the switchboard: its path below the folder, and the line in it. */
export interface BoardFile {
  readonly path: string;
  readonly text: string;
}

export function settingFile(id: string, setting: Setting): BoardFile {
  return { path: `${id}/${settingName(setting)}`, text: JSON.stringify({ seats: setting.seats }) };
}

/** Tells which switch holds and what the routes are. Its name is also how Caddy shows that it sees the folder. */
export function generationFile(generation: number, routes: readonly IngressRoute[]): BoardFile {
  const bare = routes.map((route) => ({ ...route, targets: [] }));
  return { path: `now/${String(newest - generation).padStart(9, "0")}`, text: JSON.stringify({ routes: bare }) };
}

/** The switch that the name of a generation's file tells. */
export function generationOf(name: string): number {
  return newest - Number(name.replace(/^\//, "").split("_")[0]);
}

/** The switchboard as its files tell it. What makes no sense is left out: the next switch writes it anew. */
export function readBoard(files: readonly BoardFile[]): Board {
  const lines = new Map<string, { settings: Setting[] }>();
  let generation = 0;
  let last = 0;
  let routes: readonly IngressRoute[] = [];
  for (const { path, text } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const [id = "", name = ""] = path.split("/");
    const content = parse(text);
    if (content === undefined || !/^\d{9}(_|$)/.test(name)) continue;
    const at = generationOf(name);
    last = Math.max(last, at);
    if (id === "now") {
      if (at > generation) [generation, routes] = [at, content.routes ?? []];
      continue;
    }
    const lane = lanes.find((one) => one === name.split("_")[1]);
    const line = lines.get(id) ?? { settings: [] };
    line.settings.push({ generation: at, lane, seats: content.seats ?? [] });
    lines.set(id, line);
  }
  // A switch that was broken off has written some of its settings: the next one is still newer than these.
  return { generation: Math.max(generation, last), routes, lines };
}

function parse(text: string): { routes?: readonly IngressRoute[]; seats?: readonly RouteTarget[] } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The routes with the targets that they have now. */
export function routesNow({ routes, lines }: Board): readonly IngressRoute[] {
  return routes.map((route) => {
    const [setting] = lines.get(lineId(route))?.settings ?? [];
    return { ...route, targets: setting === undefined ? [] : targetsOf(setting) };
  });
}
