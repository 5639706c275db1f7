import { posix } from "node:path";
import { findLoops } from "./loop.ts";
import { floors, isTestOnly, nouns, type Room, roomOf, wordsOf } from "./room.ts";
import type { Import, Source, Target } from "./source.ts";

/** A line that stands in the wrong room, and what to do instead. */
export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Every breach of the law in these sources. Pure. There is no list of exceptions. */
export function findBreaches(sources: readonly Source[]): readonly Breach[] {
  const breaches = [...sources.flatMap(breachesOfFile), ...breachesByLoop(sources), ...breachesByEngineLoop(sources)];
  return breaches.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}

export function breachText({ path, line, message }: Breach): string {
  return `${path}:${line} ${message}`;
}

function breachesOfFile(source: Source): readonly Breach[] {
  const at = (line: number, message: string): Breach => ({ path: source.path, line, message });
  const room = roomOf(source.path);
  const inside = room.house !== "outside";
  const found: Breach[] = [];
  if (source.error) found.push(at(source.error.line, `cannot be read: ${source.error.message}`));
  if (!/^[a-z0-9.-]+$/.test(source.path.replaceAll("/", ""))) found.push(at(1, "is not named in kebab-case"));
  if (!inside) return found;
  for (const line of source.exportStars) found.push(at(line, "exports everything: name what the door opens to"));
  if (posix.basename(source.path) === "index.ts") {
    for (const line of source.logic) found.push(at(line, "an index.ts is a door: it only re-exports by name"));
  }
  const production = !isTest(source.path);
  if (production && source.path !== "packages/fed/src/cli/env.ts") {
    for (const line of source.environmentReads) {
      found.push(at(line, "reads the environment: only cli/env.ts does; take it as an argument"));
    }
  }
  for (const one of source.imports) {
    const message = breachOfImport(source.path, room, one, production);
    if (message !== undefined) found.push(at(one.line, `imports ${one.specifier}: ${message}`));
  }
  return found;
}

/** Tests and what serves only tests stand outside of the floors, but for the stores. */
function isTest(path: string): boolean {
  return isTestOnly(path) || /\.(scene)\.ts$|\/(fixture|test-lab)\.ts$|\/type-case\//.test(path);
}

function breachOfImport(path: string, room: Room, one: Import, production: boolean): string | undefined {
  const { target } = one;
  if (target.kind !== "file") return production ? breachOfOutside(room, target) : undefined;
  const to = roomOf(target.path);
  const store = breachOfStore(path, target.path);
  if (store !== undefined) return store;
  if (!production) return undefined; // the tests of a door come in by it
  if (posix.basename(target.path) === "index.ts" && path.startsWith(`${posix.dirname(target.path)}/`)) {
    return "a folder never uses its own door: import the file";
  }
  if (isTest(target.path)) return "production code does not import what serves tests";
  return breachOfFloor(path, room, target.path, to) ?? breachOfSpelling(room, to, one.specifier);
}

function breachOfStore(from: string, to: string): string | undefined {
  if (posix.basename(to) !== "store.ts" || posix.dirname(from) === posix.dirname(to)) return undefined;
  return "a store is private to its folder: call a verb of that noun";
}

/** Of what is not ours: modules of Node and packages. */
function breachOfOutside(room: Room, target: Exclude<Target, { kind: "file" }>): string | undefined {
  if (target.kind === "package" && ["vitest", "fast-check"].includes(target.name)) return "a tool of tests alone";
  const pure = room.house === "lab" || room.folder === "base" || isPromql(room);
  const node = target.kind === "builtin";
  if (pure) return `${wordsOf(room)} is pure and runs in a browser: no ${node ? "Node module" : "package"}`;
  const seenByPages = room.house === "web" || room.folder === "wire";
  return seenByPages && node ? `${wordsOf(room)} runs in a browser: no Node module; take it as an argument` : undefined;
}

/** The one engine that pages see. */
function isPromql(room: Room): boolean {
  return room.folder === "engine" && room.name === "promql";
}

function breachOfFloor(path: string, from: Room, targetPath: string, to: Room): string | undefined {
  if (to.house === "outside") return "nothing in the house depends on what stands outside of it";
  if (from.house === "lab") return to.house === "lab" ? undefined : "lab stands on the ground and knows nobody";
  if (from.house === "web") return breachOfWeb(to);
  if (to.house === "web") return "web is on the top floor";
  if (to.house === "lab")
    return from.folder === "base" || from.folder === "engine" ? `${from.folder} does not know the lab` : undefined;
  const forPages = isPromql(to) || (to.folder === "engine" && to.name === "series") || to.folder === "base";
  if (isPromql(from) && !forPages) return "pages see engine/promql: it knows only base and engine/series";
  const [low, high] = [floors[to.folder], floors[from.folder]];
  if (low === undefined || high === undefined) return `there is no room ${to.folder || targetPath} in the house`;
  if (low > high) return `an arrow up, from ${wordsOf(from)} to ${wordsOf(to)}: calls go down, events come up`;
  if (low === high && from.folder !== to.folder)
    return `${from.folder} and ${to.folder} are strangers: the hub connects them`;
  if (to.folder === "adapter" && from.folder !== "adapter") return breachOfAdapters(path, targetPath);
  if (from.folder === "adapter" && to.folder === "adapter" && from.name !== "" && from.name !== to.name) {
    return "an adapter does not know another one";
  }
  return from.folder === "hub" && to.folder === "hub" ? breachOfNouns(from.name, to.name) : undefined;
}

function breachOfWeb(to: Room): string | undefined {
  const seen = to.house !== "fed" || to.folder === "wire" || isPromql(to);
  return seen ? undefined : "web sees only the lab, wire and promql";
}

function breachOfAdapters(path: string, targetPath: string): string | undefined {
  if (path !== "packages/fed/src/hub/hub.ts") return "only hub/hub.ts connects adapters: take the port as an argument";
  return targetPath === "packages/fed/src/adapter/adapters.ts"
    ? undefined
    : "adapters are taken from adapter/adapters.ts";
}

/** Files of the hub's root wire nouns together and may know each; a noun knows itself and lower ones. */
function breachOfNouns(from: string, to: string): string | undefined {
  if (from === to || from === "") return undefined;
  if (to === "") return "a noun does not know the hub's wiring";
  const [low, high] = [nouns.indexOf(to), nouns.indexOf(from)];
  if (low < 0 || high < 0) return `the noun ${low < 0 ? to : from} has no place in the order of test/layers/room.ts`;
  return low < high ? undefined : `${to} is a higher noun than ${from}: hear it through events`;
}

function breachOfSpelling(from: Room, to: Room, specifier: string): string | undefined {
  if (from.house !== to.house && specifier.startsWith(".")) return "write the package's name, not a path into it";
  if (from.house !== "fed" || to.house !== "fed") return undefined;
  const same =
    from.folder === to.folder &&
    (from.name === to.name || from.name === "" || from.folder === "adapter" || from.folder === "engine");
  if (same && specifier.startsWith("#"))
    return from.name === to.name ? "write a relative path inside one folder" : undefined;
  return !same && !specifier.startsWith("#") ? "write #folder/… across folders" : undefined;
}

function breachesByLoop(sources: readonly Source[]): readonly Breach[] {
  const known = new Set(sources.map(({ path }) => path));
  const arrows = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.flatMap(({ target }) => (target.kind === "file" && known.has(target.path) ? [target.path] : [])),
    ]),
  );
  return findLoops(arrows).map(([path = "", next = "", ...rest]) => ({
    path,
    line: lineOfArrow(sources, path, (to) => to === next),
    message: `stands in a loop of imports: ${[path, next, ...rest].join(" → ")}`,
  }));
}

/** Engines may use one another, but never in a circle, even where no file does. */
function breachesByEngineLoop(sources: readonly Source[]): readonly Breach[] {
  const production = sources.filter(({ path }) => roomOf(path).folder === "engine" && !isTest(path));
  const engineOf = (path: string) => (roomOf(path).folder === "engine" ? roomOf(path).name : "");
  const arrows = new Map<string, string[]>();
  for (const { path, imports } of production) {
    const [here, known] = [engineOf(path), arrows.get(engineOf(path)) ?? []];
    const there = imports.map(({ target }) => (target.kind === "file" ? engineOf(target.path) : ""));
    arrows.set(here, [...known, ...there.filter((name) => name !== "" && name !== here)]);
  }
  return findLoops(arrows).map(([here = "", next = "", ...rest]) => {
    const leads = (to: string) => engineOf(to) === next;
    const path = production.find(({ path }) => engineOf(path) === here && lineOfArrow(sources, path, leads) > 0)?.path;
    const message = `engines in a circle: ${[here, next, ...rest].join(" → ")}; let one take the other as an interface`;
    return { path: path ?? here, line: lineOfArrow(sources, path ?? "", leads), message };
  });
}

/** The line on which this file imports such a file; 0 when it does not. */
function lineOfArrow(sources: readonly Source[], path: string, wanted: (to: string) => boolean): number {
  const imports = sources.find((source) => source.path === path)?.imports ?? [];
  return imports.find(({ target }) => target.kind === "file" && wanted(target.path))?.line ?? 0;
}
