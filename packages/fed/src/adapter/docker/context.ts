/** The folder of a build as the tar that an engine takes: without what its `.dockerignore` leaves out, owned by root, in order. */
import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readFile, readlink } from "node:fs/promises";
import { isAbsolute, join, posix } from "node:path";
import { Fault } from "#base/fault.ts";
import { type IgnoreRules, type IgnoreState, readIgnore } from "./ignore.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar-write.ts";

export interface BuildContext {
  /** Of the Dockerfile, from the folder, with `/`. */
  readonly dockerfile: string;
  /** To be read once. Fault `conflict` for a file that changes meanwhile, `denied` for one that the hub may not read. */
  tar(signal: AbortSignal): AsyncGenerator<Uint8Array>;
}

const chunkBytes = 256 * 1024;

/** Fault `missing` when the folder or the Dockerfile is not there, `invalid` for a Dockerfile elsewhere and patterns that are none. */
export async function openBuildContext(folder: string, dockerfile = "Dockerfile"): Promise<BuildContext> {
  const inside = posix.normalize(dockerfile);
  if (isAbsolute(inside) || inside === ".." || inside.startsWith("../"))
    throw new Fault("invalid", `the Dockerfile ${dockerfile} is not below ${folder}`, {
      hint: "Name a path from the build's folder.",
    });
  await mustBe(folder, "folder", "the build's folder");
  await mustBe(join(folder, inside), "file", "the Dockerfile");
  const ignore = await findIgnore(folder, inside);
  return { dockerfile: inside, tar: (signal) => writeTar(folder, inside, ignore, signal) };
}

async function mustBe(path: string, kind: "file" | "folder", what: string): Promise<void> {
  const stats = await lstat(path).catch((thrown) => thrown);
  const right = stats instanceof Error ? false : kind === "folder" ? !stats.isFile() : !stats.isDirectory();
  if (!right) throw new Fault("missing", `${what} is not there: ${path}`, { hint: "See the service's `build`." });
}

interface FoundIgnore {
  readonly rules: IgnoreRules;
  /** The file, if it is the one the engine would read as well. */
  readonly name: string | undefined;
}

/** The Dockerfile's own (`web.Dockerfile.dockerignore`) comes before the folder's, as it does for BuildKit. */
async function findIgnore(folder: string, dockerfile: string): Promise<FoundIgnore> {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const text = await readFile(join(folder, name), "utf8").catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT" || thrown.code === "ENOTDIR") return undefined;
      throw unreadable(name, thrown);
    });
    if (text !== undefined) return { rules: readIgnore(text, join(folder, name)), name };
  }
  return { rules: readIgnore("", ".dockerignore"), name: undefined };
}

/** What is in the archive whatever the rules say: without it the engine could not build. */
async function* writeTar(
  folder: string,
  dockerfile: string,
  ignore: FoundIgnore,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const needed = new Set([dockerfile]);
  // The engine would read this one and leave out more than the Dockerfile's own says.
  const hidden = ignore.name === ".dockerignore" ? undefined : ".dockerignore";
  const written = new Set<string>();
  for await (const found of walk(folder, "", undefined, ignore.rules, needed, signal)) {
    if (found.path === hidden) continue;
    for (const parent of parentsOf(found.path)) {
      if (written.has(parent)) continue;
      written.add(parent);
      yield headerOf(parent, await look(folder, parent));
    }
    if (found.stats.isDirectory()) written.add(found.path);
    yield* found.stats.isFile() ? writeFile(folder, found.path, signal) : [await headerOfOther(folder, found)];
  }
  yield tarEnd;
}

interface Found {
  readonly path: string;
  readonly stats: Stats;
}

/** What is not left out, folders before what is in them, in order of names: the same folder makes the same archive. */
async function* walk(
  root: string,
  folder: string,
  above: IgnoreState | undefined,
  rules: IgnoreRules,
  needed: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  const names = await readdir(join(root, folder)).catch((thrown) => {
    throw unreadable(folder, thrown);
  });
  for (const name of names.sort()) {
    signal.throwIfAborted();
    const path = folder === "" ? name : `${folder}/${name}`;
    const { ignored, whole, state } = rules.judge(path, above);
    const leads = [...needed].some((file) => file.startsWith(`${path}/`));
    if (whole && !needed.has(path) && !leads) continue;
    const stats = await look(root, path);
    const sendable = stats.isFile() || stats.isDirectory() || stats.isSymbolicLink();
    if (sendable && (!ignored || needed.has(path))) yield { path, stats };
    if (stats.isDirectory()) yield* walk(root, path, state, rules, needed, signal);
  }
}

async function look(root: string, path: string): Promise<Stats> {
  return lstat(join(root, path)).catch((thrown: NodeJS.ErrnoException) => {
    throw thrown.code === "ENOENT" ? changed(path) : unreadable(path, thrown);
  });
}

async function* writeFile(root: string, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown) => {
    throw thrown.code === "ENOENT" || thrown.code === "ELOOP" ? changed(path) : unreadable(path, thrown);
  });
  try {
    const stats = await file.stat();
    yield headerOf(path, stats);
    for (let left = stats.size; left > 0; ) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, chunkBytes)));
      if (bytesRead === 0) throw changed(path);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield tarPadding(stats.size);
  } finally {
    await file.close();
  }
}

async function headerOfOther(root: string, { path, stats }: Found): Promise<Uint8Array> {
  if (!stats.isSymbolicLink()) return headerOf(path, stats);
  const target = await readlink(join(root, path)).catch(() => {
    throw changed(path);
  });
  return headerOf(path, stats, target);
}

function headerOf(path: string, stats: Stats, target?: string): Uint8Array {
  const kind = stats.isDirectory() ? "folder" : target === undefined ? "file" : "link";
  const { mode, mtimeMs, size } = stats;
  const sizeBytes = kind === "file" ? size : 0;
  return tarHeader({ name: path, kind, mode: mode & 0o7777, changedMs: mtimeMs, sizeBytes, target });
}

/** `a`, `a/b` of `a/b/c`. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function changed(path: string): Fault {
  return new Fault("conflict", `${path} changed while it was read for the build`, { hint: "Build again." });
}

function unreadable(path: string, cause: NodeJS.ErrnoException): Fault {
  if (cause.code !== "EACCES" && cause.code !== "EPERM") return changed(path);
  return new Fault("denied", `the hub's user may not read ${path === "" ? "the build's folder" : path}`, {
    cause,
    hint: "Give it the right to read it, or leave it out by .dockerignore.",
  });
}
