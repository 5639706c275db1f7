/** What a switch has to write to the switchboard. Pure. */
import { Fault } from "#base/fault.ts";
import type { IngressRoute, RouteTarget } from "#port/ingress.ts";
import {
  type Board,
  type BoardFile,
  freeLane,
  generationFile,
  type Lane,
  type Line,
  lanes,
  lineId,
  plainHost,
  type Setting,
  seat,
  settingFile,
  settingName,
  targetsOf,
} from "./board.ts";
import { lookName, seatKey } from "./route.ts";

/** What is in flight by key, as Caddy counts it. */
export type Counts = ReadonlyMap<string, number>;

export interface SwitchPlan {
  readonly generation: number;
  /** Before the configuration knows the routes: those that are new to it, and wider ones, which it reads before and after. */
  readonly before: readonly BoardFile[];
  /** What switches. */
  readonly switches: readonly BoardFile[];
  /** Files that nothing needs any more. */
  readonly drop: readonly string[];
  /** Upstreams that Caddy has to go on counting, though their route is gone. */
  readonly leaving: readonly string[];
  /** The switchboard afterwards. */
  readonly board: Board;
}

/** Fault `unsupported` for what Caddy cannot do, `conflict` for a name or door that two routes claim. */
export function checkRoutes(routes: readonly IngressRoute[]): void {
  const owners = new Map<string, string>();
  for (const { match, service } of routes) {
    if (match.kind === "door" && match.protocol === "tcp") {
      throw new Fault("unsupported", `Caddy passes no raw TCP, which ${service} wants at door ${match.port}`, {
        hint: "Let this service be reached through the hub's own ingress.",
      });
    }
    const what = match.kind === "host" ? `the host name ${plainHost(match.host)}` : `door ${match.port}`;
    const other = owners.get(what);
    if (other !== undefined || (match.kind === "host" && plainHost(match.host) === lookName)) {
      throw new Fault("conflict", `${other ?? "fed"} and ${service} both claim ${what}`, {
        hint: "give one of them another host name or port in lab.ts",
      });
    }
    owners.set(what, service);
  }
}

export function planSwitch(board: Board, routes: readonly IngressRoute[], seats: number, counts: Counts): SwitchPlan {
  const known = new Set(board.routes.map(lineId));
  const wanted = new Set(routes.map(lineId));
  const wide = widenedLines(board, wanted, seats);
  const generation = board.generation + (wide.size === 0 ? 1 : 2);
  const lines = new Map<string, Line>();
  const before: BoardFile[] = [];
  const switches: BoardFile[] = [];
  const drop: string[] = [];
  for (const [id, { setting, narrow }] of wide) {
    before.push(settingFile(id, setting));
    drop.push(`${id}/${settingName(narrow)}`);
  }
  for (const route of routes) {
    const id = lineId(route);
    const line = wide.get(id)?.line ?? board.lines.get(id) ?? { settings: [] };
    const next = nextSetting(id, line, route.targets, { generation, seats, counts });
    if (next === undefined) {
      lines.set(id, line);
      continue;
    }
    (known.has(id) ? switches : before).push(settingFile(id, next));
    // Older settings tell who is in flight behind their lanes.
    const older = line.settings.filter(({ lane }) => lane !== undefined && lane !== next.lane);
    const settings = [next, ...older];
    for (const one of line.settings) if (!settings.includes(one)) drop.push(`${id}/${settingName(one)}`);
    lines.set(id, { settings });
  }
  const leaving: string[] = [];
  for (const [id, line] of board.lines) {
    if (wanted.has(id)) continue;
    const counted = line.settings.flatMap((setting, i) => {
      const keys = seatKeys(id, setting);
      // A request may have been sent there a moment ago and not be counted yet.
      const isFresh = i === 0 && known.has(id);
      return isFresh || keys.some((key) => (counts.get(key) ?? 0) > 0) ? keys : [];
    });
    leaving.push(...counted);
    if (counted.length > 0) lines.set(id, line);
    else drop.push(...line.settings.map((setting) => `${id}/${settingName(setting)}`));
  }
  const now = generationFile(generation, routes);
  const old = generationFile(board.generation, []);
  if (board.generation > 0) drop.push(old.path);
  const after = { generation, routes: routes.map((route) => ({ ...route, targets: [] })), lines };
  return { generation, before, switches: [...switches, now], drop, leaving: [...new Set(leaving)], board: after };
}

/**
 * A configuration with more seats finds nobody in a setting with fewer: until the switch, each line that has too few needs one with
 * the same targets and enough seats.
 */
function widenedLines(
  { generation, lines }: Board,
  wanted: ReadonlySet<string>,
  seats: number,
): ReadonlyMap<string, { readonly setting: Setting; readonly narrow: Setting; readonly line: Line }> {
  const wide = new Map<string, { setting: Setting; narrow: Setting; line: Line }>();
  for (const [id, { settings }] of lines) {
    const [narrow, ...others] = settings;
    if (!wanted.has(id) || narrow?.lane === undefined || narrow.seats.length >= seats) continue;
    const setting = { generation: generation + 1, lane: narrow.lane, seats: seat(targetsOf(narrow), seats) };
    wide.set(id, { setting, narrow, line: { settings: [setting, ...others] } });
  }
  return wide;
}

/** What a line's newest setting has to be; undefined when it is so already. */
function nextSetting(
  id: string,
  line: Line,
  targets: readonly RouteTarget[],
  now: { readonly generation: number; readonly seats: number; readonly counts: Counts },
): Setting | undefined {
  const { generation, seats, counts } = now;
  if (sameTargets(line.settings[0], targets)) return undefined;
  if (targets.length === 0) return { generation, lane: undefined, seats: [] };
  const isIdle = (lane: Lane) => laneKeys(id, lane, seats).every((key) => (counts.get(key) ?? 0) === 0);
  return { generation, lane: freeLane(line, isIdle), seats: seat(targets, seats) };
}

function sameTargets(setting: Setting | undefined, targets: readonly RouteTarget[]): boolean {
  return setting !== undefined && JSON.stringify(targetsOf(setting)) === JSON.stringify(targets.map(bareTarget));
}

function bareTarget({ instance, host, port }: RouteTarget): RouteTarget {
  return { instance, host, port };
}

function seatKeys(id: string, { lane, seats }: Setting): readonly string[] {
  return lane === undefined ? [] : laneKeys(id, lane, seats.length);
}

function laneKeys(id: string, lane: Lane, seats: number): readonly string[] {
  return Array.from({ length: seats }, (_, i) => seatKey(id, lane, i));
}

/** What is in flight to each instance that the switchboard knows. */
export function inFlightOf({ lines }: Board, counts: Counts): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [id, { settings }] of lines) {
    for (const lane of lanes) {
      const setting = settings.find((one) => one.lane === lane);
      for (const [i, { instance }] of (setting?.seats ?? []).entries()) {
        const count = counts.get(seatKey(id, lane, i)) ?? 0;
        if (count > 0) found[instance] = (found[instance] ?? 0) + count;
      }
    }
  }
  return found;
}
