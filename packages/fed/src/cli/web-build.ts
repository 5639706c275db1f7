import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sleep, systemClock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { holdLock, type Lock } from "#disk/lock.ts";
import type { Env } from "./env.ts";

/** What the pages are made of, below the installation. */
const sources = [
  "packages/web",
  ...["base", "wire", "engine/promql", "engine/series"].map((folder) => `packages/fed/src/${folder}`),
  "package-lock.json",
];
const notSources: ReadonlySet<string> = new Set(["node_modules", "dist"]);

/** So many builds are kept: a hub that runs still serves the one it began with. */
const keptBuilds = 3;
const waitMs = 200;

/**
 * The folder of the built pages, built first when the sources have changed. Each build has a folder of its own, named by
 * its sources and put in place by a rename: one that was broken off leaves nothing that looks finished.
 */
export async function ensureWeb(env: Env, tell: (text: string) => void, signal: AbortSignal): Promise<string> {
  const folder = join(env.installation, ".cache/web");
  const built = join(folder, stampOf(env.installation));
  if (existsSync(built)) return built;
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw new Fault("denied", `cannot write to ${folder}, where the pages are built`, {
      hint: "Run `fed up` once as the owner of this copy of fed.",
      cause,
    });
  });
  const lock = await waitForTurn(join(folder, "lock"), () => existsSync(built), signal);
  try {
    if (existsSync(built)) return built;
    tell("building the pages (once) …");
    await dropUnfinished(folder);
    const work = join(folder, `tmp-${process.pid}`);
    try {
      await build(env, work, signal);
      await rename(work, built);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    await dropOld(folder);
    return built;
  } finally {
    lock?.close();
  }
}

/** Changes whenever a source does; looks at sizes and times only, so that a warm start does not read them all. */
function stampOf(installation: string): string {
  const hash = createHash("sha256").update(process.versions.node);
  const add = (path: string) => {
    const stat = statSync(join(installation, path), { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      const names = readdirSync(join(installation, path)).filter((name) => !notSources.has(name));
      for (const name of names.sort()) add(`${path}/${name}`);
    } else if (stat && !/\.test\.tsx?$/.test(path)) hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
  };
  for (const path of sources) add(path);
  return hash.digest("hex").slice(0, 16);
}

/** Undefined when somebody else has done it meanwhile. */
async function waitForTurn(path: string, isDone: () => boolean, signal: AbortSignal): Promise<Lock | undefined> {
  for (;;) {
    try {
      return holdLock(path);
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code !== "conflict") throw thrown;
    }
    await sleep(systemClock, waitMs, signal);
    if (isDone()) return undefined;
  }
}

function build(env: Env, outFolder: string, signal: AbortSignal): Promise<void> {
  const vite = join(env.installation, "node_modules/vite/bin/vite.js");
  const words = ["build", "--configLoader", "native", "--outDir", outFolder, "--logLevel", "warn"];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vite, ...words], {
      cwd: join(env.installation, "packages/web"),
      env: { ...env.inherited, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-4_000);
      });
    }
    const stop = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", (cause) => reject(notBuilt(String(cause), cause)));
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else reject(notBuilt(said.trim()));
    });
  });
}

function notBuilt(said: string, cause?: unknown): Fault {
  return new Fault("internal", "the pages could not be built", {
    hint: said.split("\n").slice(-12).join("\n") || "Run `npm ci`, then try again.",
    cause,
  });
}

/** What a build that was killed has left behind. Only for who holds the lock. */
async function dropUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("tmp-")) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function dropOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const byAge = names
    .map((name) => ({ name, atMs: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.atMs - a.atMs);
  for (const { name } of byAge.slice(keptBuilds)) await rm(join(folder, name), { recursive: true, force: true });
}
