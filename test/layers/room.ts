/** Where a file lives in the house: read from its path alone. */
export interface Room {
  /** The package, or `outside` for test/, bench/, examples/ and the files of the root. */
  readonly house: "lab" | "fed" | "web" | "outside";
  /** First folder below `packages/fed/src`; "" elsewhere. */
  readonly folder: string;
  /** The adapter's system, the hub's noun or the engine's name; "" elsewhere. */
  readonly name: string;
}

export function roomOf(path: string): Room {
  const [, house = "", rest = ""] = /^packages\/(lab|fed|web)\/src\/(.*)$/.exec(path) ?? [];
  if (house !== "lab" && house !== "fed" && house !== "web") return { house: "outside", folder: "", name: "" };
  if (house !== "fed") return { house, folder: "", name: "" };
  const parts = rest.split("/");
  const folder = parts.length > 1 ? (parts[0] ?? "") : "";
  const divided = folder === "adapter" || folder === "hub" || folder === "engine";
  return { house, folder, name: divided && parts.length > 2 ? (parts[1] ?? "") : "" };
}

/** `hub/service`, `base`, `lab`: how a message names a room. */
export function wordsOf(room: Room): string {
  if (room.house !== "fed") return room.house;
  return [room.folder, room.name].filter((part) => part !== "").join("/") || "packages/fed/src";
}

/** Floors of `packages/fed/src`, low to high. */
export const floors: Readonly<Record<string, number>> = {
  base: 1,
  wire: 2,
  disk: 2,
  port: 2,
  engine: 3,
  adapter: 3,
  hub: 4,
  cli: 5,
};

/** Nouns of the hub, low to high; `db` lies under them, and `serve`, the door to all, is known to none. */
export const nouns: readonly string[] = [
  "db",
  "event",
  "user",
  "secret",
  "trust",
  "machine",
  "agent",
  "metric",
  "exporter",
  "log",
  "check",
  "alert",
  "pack",
  "backup",
  "lab",
  "certificate",
  "service",
  "release",
  "route",
  "project",
  "roadmap",
  "serve",
];

/** A file that only tests may import. */
export function isTestOnly(path: string): boolean {
  return /\.(test|suite|fake)\.[cm]?tsx?$|\/hand-clock\.ts$/.test(path);
}
