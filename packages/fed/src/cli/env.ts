import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { Fault } from "#base/fault.ts";

/** What fed takes from its surroundings, read once. No other file reads `process.env`. */
export interface Env {
  /** The folder fed was called in. */
  readonly cwd: string;
  /** The root of this copy of fed: holds `examples/` and `packages/`. */
  readonly installation: string;
  /** Where a hub of this machine keeps its state: FED_DATA, else `fed` in the XDG data folder. */
  readonly dataFolder: string;
  /** FED_DATA was set: the person chose the folder. */
  readonly dataChosen: boolean;
  /** Where sign-ins at hubs elsewhere are kept: `fed` in the XDG configuration folder. */
  readonly configFolder: string;
  /** FED_HUB: address of a hub elsewhere; not yet checked. */
  readonly hub: string | undefined;
  /** FED_TOKEN: proves who is calling the hub at FED_HUB or `--hub`. A secret: never print it. */
  readonly token: string | undefined;
  /** FED_KEY and FED_KEY_NEXT: master keys of the vault of a hub that runs here, in place of a file. Secrets: never print them. */
  readonly keys: { readonly current: string | undefined; readonly next: string | undefined };
  /** Who logs in to machines where the lab does not say, and with what: USER, HOME, SSH_AUTH_SOCK. */
  readonly own: { readonly user: string; readonly home: string; readonly agent: string | undefined };
  /** FED_DEBUG=1: faults show where they come from. */
  readonly debug: boolean;
  /** An automation is calling (CI is set). */
  readonly automated: boolean;
  readonly terminal: TerminalEnv;
  /** Folders that programs are looked up in. */
  readonly path: readonly string[];
  /** What a service inherits: where programs are, who the user is, language and time zone. Nothing of fed, no secret. */
  readonly inherited: Readonly<Record<string, string>>;
  /** What a program inherits that fed calls in the person's name (docker, ssh): everything but fed's own. */
  readonly delegated: Readonly<Record<string, string>>;
}

export interface TerminalEnv {
  /** NO_COLOR: never. FORCE_COLOR: always. Otherwise only on a terminal that is not dumb. */
  readonly color: "never" | "auto" | "always";
  /** A terminal that cannot move its cursor (TERM=dumb). */
  readonly dumb: boolean;
  /** COLUMNS: width when the terminal does not tell. */
  readonly columns: number | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

export function readEnv(variables: Variables = process.env, cwd: string = workingFolder()): Env {
  const read = (name: string) => variables[name] || undefined;
  const home = read("HOME") ?? homedir();
  const chosen = read("FED_DATA");
  return deepFreeze({
    cwd,
    installation: resolve(import.meta.dirname, "../../../.."),
    dataFolder: chosen
      ? resolve(cwd, chosen)
      : join(xdgFolder(read("XDG_DATA_HOME")) ?? join(home, ".local/share"), "fed"),
    dataChosen: chosen !== undefined,
    configFolder: join(xdgFolder(read("XDG_CONFIG_HOME")) ?? join(home, ".config"), "fed"),
    hub: read("FED_HUB"),
    token: read("FED_TOKEN"),
    keys: { current: read("FED_KEY"), next: read("FED_KEY_NEXT") },
    own: { user: read("USER") ?? read("LOGNAME") ?? systemUser(), home, agent: read("SSH_AUTH_SOCK") },
    debug: !["0", "false", undefined].includes(read("FED_DEBUG")),
    automated: !["0", "false", undefined].includes(read("CI")),
    terminal: {
      color: read("NO_COLOR") ? "never" : ["0", undefined].includes(read("FORCE_COLOR")) ? "auto" : "always",
      dumb: read("TERM") === "dumb",
      columns: positiveCount(read("COLUMNS")),
    },
    path: (read("PATH") ?? "").split(":").filter((folder) => folder.startsWith("/")),
    inherited: variablesWhere(variables, (name) => inheritedNames.has(name) || name.startsWith("LC_")),
    delegated: variablesWhere(variables, (name) => !name.startsWith("FED_") && !ofLauncher.has(name)),
  });
}

/** Set by the launcher, for Node. */
const ofLauncher = new Set(["NODE_COMPILE_CACHE", "MALLOC_ARENA_MAX"]);

const inheritedNames = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"]);

function variablesWhere(variables: Variables, wanted: (name: string) => boolean): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) if (value !== undefined && wanted(name)) found[name] = value;
  return found;
}

/** A container may run as a user that has no name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return "root";
  }
}

/** The XDG rule: a relative path is invalid and is passed over. */
function xdgFolder(value: string | undefined): string | undefined {
  return value?.startsWith("/") ? value : undefined;
}

function positiveCount(text: string | undefined): number | undefined {
  const count = Number(text);
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new Fault("missing", "the folder you are in no longer exists", {
      hint: "cd to another folder and try again",
      cause,
    });
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
