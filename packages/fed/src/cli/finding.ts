import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Env } from "./env.ts";

/** What `fed doctor` looks for on this machine, as a table of questions; each is asked of the outside through `Ask`. */

export type Finding =
  | { readonly kind: "found"; readonly what: string }
  /** There, but not fit: too old, too little, not running. */
  | { readonly kind: "poor"; readonly what: string; readonly hint: string }
  | { readonly kind: "missing"; readonly hint: string };

/** The outside as far as the questions need it. */
export interface Ask {
  /** What a program writes on either stream when it ends well; undefined when it is not there or fails. */
  run(command: string, words: readonly string[], signal: AbortSignal): Promise<string | undefined>;
  /** Free bytes where the folder is, or would be. */
  freeBytes(folder: string): Promise<number>;
  /** The folder, or the nearest one above that exists, can be written. */
  canWrite(folder: string): boolean;
  resolves(host: string): Promise<boolean>;
}

export interface Question {
  readonly name: string;
  /** What does not work without it. */
  readonly feature: string;
  /** fed cannot work at all without it. */
  readonly required: boolean;
  find(ask: Ask, env: Env, signal: AbortSignal): Promise<Finding>;
}

const lowDiskBytes = 2 ** 30;

export const questions: readonly Question[] = [
  {
    name: "Node.js",
    feature: "everything",
    required: true,
    find: async () => {
      const what = process.versions.node;
      if (Number.parseInt(what, 10) >= 26) return { kind: "found", what };
      return { kind: "poor", what, hint: "fed needs 26 or newer: start it by its launcher ./fed, which fetches it" };
    },
  },
  {
    name: "data folder",
    feature: "everything",
    required: true,
    find: async (ask, env) => {
      if (ask.canWrite(env.dataFolder)) return { kind: "found", what: env.dataFolder };
      const hint = "change its owner or mode, or choose another one with FED_DATA or --data";
      return { kind: "poor", what: `cannot write to ${env.dataFolder}`, hint };
    },
  },
  {
    name: "free disk",
    feature: "history, logs and releases",
    required: false,
    find: async (ask, env) => {
      const free = await ask.freeBytes(env.dataFolder);
      const what = `${(free / 2 ** 30).toFixed(1)} GiB`;
      if (free >= lowDiskBytes) return { kind: "found", what };
      return { kind: "poor", what, hint: "make room: fed wants at least 1 GiB" };
    },
  },
  program("npm", "updates of fed itself", "npm", ["--version"], "apt-get install npm"),
  program("git", "labs and projects that come from Git", "git", ["--version"], "apt-get install git"),
  program("Docker", "services from images and builds", "docker", ["--version"], "see docs.docker.com/engine/install"),
  {
    name: "Docker engine",
    feature: "services from images and builds",
    required: false,
    find: async (ask, _env, signal) => {
      const answer = await ask.run("docker", ["version", "--format", "{{.Server.Version}}"], signal);
      if (answer !== undefined) return { kind: "found", what: versionIn(answer) };
      return { kind: "missing", hint: "none answers: start it, or join the group docker" };
    },
  },
  program("Podman", "services from images, without Docker", "podman", ["--version"], "apt-get install podman"),
  program(
    "OpenSSH",
    "a shell of your own on machines; fed itself needs none",
    "ssh",
    ["-V"],
    "apt-get install openssh-client",
  ),
  program(
    "fallocate",
    "trimming the output that services keep",
    "fallocate",
    ["--version"],
    "apt-get install util-linux",
  ),
  {
    name: "*.localhost",
    feature: "routes such as site.localhost in programs other than browsers and curl",
    required: false,
    find: async (ask) => {
      if (await ask.resolves("fed-doctor.localhost")) return { kind: "found", what: "resolves" };
      return {
        kind: "missing",
        hint: "browsers and curl know such names anyway; for others: apt-get install libnss-myhostname",
      };
    },
  },
];

function program(name: string, feature: string, command: string, words: readonly string[], hint: string): Question {
  return {
    name,
    feature,
    required: false,
    find: async (ask, _env, signal) => {
      const answer = await ask.run(command, words, signal);
      return answer === undefined ? { kind: "missing", hint } : { kind: "found", what: versionIn(answer) };
    },
  };
}

/** The version in what a program says of itself: `git version 2.39.5` is `2.39.5`. */
export function versionIn(answer: string): string {
  return /\d+(?:\.\d+)+(?:[\w.+~-]*\w)?/.exec(answer)?.[0] ?? answer.trim().split("\n")[0]?.slice(0, 40) ?? "";
}

/** Asks this machine. */
export function askMachine(env: Env): Ask {
  return {
    run: (command, words, signal) =>
      new Promise((settle) => {
        const options = { env: env.delegated, signal, killSignal: "SIGKILL", maxBuffer: 1 << 20 } as const;
        execFile(command, words, options, (error, stdout, stderr) => settle(error ? undefined : stdout + stderr));
      }),
    async freeBytes(folder) {
      const { bavail, bsize } = await statfs(nearestFolder(folder));
      return bavail * bsize;
    },
    canWrite(folder) {
      try {
        const nearest = nearestFolder(folder);
        accessSync(nearest, constants.W_OK | constants.X_OK);
        return statSync(nearest).isDirectory();
      } catch {
        return false;
      }
    },
    async resolves(host) {
      try {
        return (await lookup(host)).address !== "";
      } catch {
        return false;
      }
    },
  };
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}
