/**
 * For tests and benches: a real Docker or Podman that nobody else on this machine sees, with a folder, a socket and
 * networks of its own, and images FROM scratch with nothing but busybox. No packet filter of the machine is touched by Docker:
 * containers reach each other, and are reached at published ports, by its own proxy; a swarm works, too.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type EngineKind = "docker" | "podman";

export interface EngineOptions {
  /** More words for dockerd. */
  readonly words?: readonly string[];
}

export interface Engine {
  readonly kind: EngineKind;
  /** Holds everything of it. */
  readonly folder: string;
  /** Where its API listens. */
  readonly socket: string;
  /** Runs its command, `docker` or `podman`, and answers its stdout; throws with its stderr when that fails. */
  run(...words: readonly string[]): string;
  /** The id of an image of busybox with that command; `changes` are more lines of a Dockerfile, such as `USER 1000`. */
  image(command: readonly string[], changes?: readonly string[]): string;
  /** Ends the engine and starts it again. Docker's containers end with it, Podman's do not. */
  restart(): Promise<void>;
  /** Kills the engine and all that runs in it at once, as a power cut does, and starts it again. */
  crash(): Promise<void>;
  /** Ends all that runs in it, and leaves nothing. */
  close(): Promise<void>;
}

const busybox = "/bin/busybox";
const applets =
  "sh sleep true false cat echo env httpd id ls mkdir nc nslookup ping ps setsid stat tail test touch wget yes";

/** Why a test with this engine cannot run here, as a part of its name; "" when it can. Where CI runs nothing is left out. */
export function withoutEngine(kind: EngineKind): string {
  const wanted =
    kind === "docker"
      ? ({ dockerd: "docker.io", docker: "docker-cli", setpriv: "util-linux" } as const)
      : ({ podman: "podman", runc: "runc", setpriv: "util-linux" } as const);
  const missing = [
    ...(userInfo().uid === 0 ? [] : ["root"]),
    ...Object.entries(wanted).flatMap(([command, name]) => (isInstalled(command) ? [] : [name])),
    ...(existsSync(busybox) ? [] : ["busybox-static"]),
  ];
  if (missing.length === 0) return "";
  const why = ` [skipped: needs ${missing.join(", ")}]`;
  if (process.env.CI === "true") throw new Error(`${kind}${why}`);
  return why;
}

export async function startEngine(kind: EngineKind, options: EngineOptions = {}): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), `fed-${kind}-`));
  const pool = await takePool();
  try {
    const engine = await (kind === "docker" ? startDocker(folder, pool.base, options) : startPodman(folder, pool.base));
    return { ...engine, close: () => engine.close().finally(pool.release) };
  } catch (thrown) {
    pool.release();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    throw thrown;
  }
}

async function startDocker(folder: string, base: string, options: EngineOptions): Promise<Engine> {
  const socket = join(folder, "docker.sock");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "-p", join(folder, "pid")];
  const own = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const pool = ["--default-address-pool", `base=${base},size=24`];
  const words = ["dockerd", ...places, ...own, ...pool, "-H", `unix://${socket}`, ...(options.words ?? [])];
  const dismiss = hireJanitor(folder, ["docker", "-H", `unix://${socket}`], process.env);
  let daemon = await untilListening(launch(words, process.env)).catch((thrown: unknown) => {
    dismiss();
    throw thrown;
  });
  // Debian's docker.io has the old builder alone.
  const run = runner("docker", ["-H", `unix://${socket}`], { ...process.env, DOCKER_BUILDKIT: "0" });
  const end = async () => {
    const ended = once(daemon, "exit");
    if (daemon.exitCode === null && daemon.kill("SIGTERM")) await ended;
  };
  return {
    ...{ kind: "docker", folder, socket, run },
    image: imageMaker(run, folder),
    async restart() {
      await end();
      daemon = await untilListening(launch(words, process.env));
    },
    async crash() {
      const ids = run("ps", "-q").split("\n").filter(Boolean);
      const pids = ids.map((id) => Number(run("inspect", "--format", "{{.State.Pid}}", id)));
      const ended = once(daemon, "exit");
      await killAll([...pids, ...daemonsOf(folder)]);
      await ended;
      // What is in memory is gone, too.
      for (const place of mountsBelow(folder)) spawnSync("umount", ["-l", place]);
      rmSync(join(folder, "exec"), { recursive: true, force: true });
      rmSync(join(folder, "pid"), { force: true });
      daemon = await untilListening(launch(words, process.env));
    },
    async close() {
      try {
        // A swarm has a bridge that stays on the machine; its tasks go away while they are looked for.
        if (run("info", "--format", "{{.Swarm.LocalNodeState}}") === "active") run("swarm", "leave", "--force");
        attempt(() => run("rm", "-f", ...run("ps", "-aq").split("\n")));
        attempt(() => run("network", "prune", "-f"));
        attempt(() => run("network", "rm", "docker_gwbridge"));
      } finally {
        await end();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        dismiss();
      }
    },
  };
}

async function startPodman(folder: string, base: string): Promise<Engine> {
  const socket = join(folder, "podman.sock");
  const environment = writePodmanSettings(folder, base);
  const run = runner("podman", [], environment);
  const begin = async () => {
    const begun = launch(["podman", "system", "service", "-t", "0", `unix://${socket}`], environment);
    begun.stderr?.resume();
    writeFileSync(join(folder, "pid"), String(begun.pid));
    await untilThere(folder, socket, begun);
    return begun;
  };
  const dismiss = hireJanitor(folder, ["podman"], environment);
  let service = await begin().catch((thrown: unknown) => {
    dismiss();
    throw thrown;
  });
  const end = async () => {
    const ended = once(service, "exit");
    // It holds nothing: what it was asked to do is done, and what runs has a guard of its own. Asked to end, it lingers.
    if (service.exitCode === null && service.kill("SIGKILL")) await ended;
    rmSync(socket, { force: true });
  };
  return {
    ...{ kind: "podman", folder, socket, run },
    image: imageMaker(run, folder),
    async restart() {
      await end();
      service = await begin();
    },
    async crash() {
      const ids = run("ps", "-q").split("\n").filter(Boolean);
      await end();
      if (ids.length > 0) run("kill", "-s", "KILL", ...ids);
      service = await begin();
    },
    async close() {
      try {
        run("rm", "-af", "-t", "0");
        run("network", "prune", "-f");
      } finally {
        await end();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        dismiss();
      }
    },
  };
}

/** Everything below the folder, by control groups that need no systemd. */
function writePodmanSettings(folder: string, base: string): Record<string, string> {
  const driver = readFileSync("/proc/filesystems", "utf8").includes("\toverlay\n") ? "overlay" : "vfs";
  const storage = join(folder, "storage.conf");
  const places = `graphroot = "${join(folder, "storage")}"\nrunroot = "${join(folder, "run")}"`;
  writeFileSync(storage, `[storage]\ndriver = "${driver}"\n${places}\n`);
  const engine = join(folder, "containers.conf");
  const settings = [
    "[containers]",
    'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]',
    "[network]",
    ...(existsSync("/usr/lib/podman/netavark") ? ['network_backend = "netavark"'] : []),
    `network_config_dir = "${join(folder, "network")}"`,
    `default_subnet_pools = [{ "base" = "${base}", "size" = 24 }]`,
    "[engine]",
    'cgroup_manager = "cgroupfs"',
    'runtime = "runc"',
    'events_logger = "file"',
    `tmp_dir = "${join(folder, "tmp")}"`,
    `volume_path = "${join(folder, "volumes")}"`,
  ];
  writeFileSync(engine, `${settings.join("\n")}\n`);
  mkdirSync(join(folder, "network"));
  const { PATH = "/usr/sbin:/usr/bin:/sbin:/bin" } = process.env;
  return {
    ...{ PATH, HOME: folder, XDG_DATA_HOME: folder },
    ...{ CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: engine },
  };
}

interface Pool {
  readonly base: string;
  release(): void;
}

/**
 * Where its networks come from, to itself: two bridges with one network lead nowhere. Held by a socket that is gone with this process; what
 * a killed one has left on the machine is seen by its routes.
 */
async function takePool(): Promise<Pool> {
  const taken = spawnSync("ip", ["-4", "route"], { encoding: "utf8" }).stdout ?? "";
  // Above 10.88, which Podman keeps for itself.
  const [first, count] = [89, 161];
  const offset = randomInt(count);
  for (let i = 0; i < count; i++) {
    const second = first + ((offset + i) % count);
    if (new RegExp(`^10\\.${second}\\.`, "m").test(taken)) continue;
    const held = createServer().unref();
    const isFree = await new Promise<boolean>((resolve) => {
      held.once("error", () => resolve(false)).listen(`\0fed-engine-pool-${second}`, () => resolve(true));
    });
    if (isFree) return { base: `10.${second}.0.0/16`, release: () => void held.close() };
  }
  throw new Error("all networks for engines are taken: look at `ip route`");
}

function launch([command = "", ...words]: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  return spawn(command, words, { stdio: ["ignore", "ignore", "pipe"], detached: true, env: environment });
}

/** Waits for the end of the process that started it, and then leaves nothing of the engine. */
const janitor = `trap : TERM; sleep 2147483 & wait; kill $!
folder=$1; shift
ids=$("$@" ps -aq); [ -z "$ids" ] || "$@" rm -f $ids
"$@" network prune -f
kill "$(cat "$folder/pid")"
while kill -0 "$(cat "$folder/pid")"; do sleep 0.2; done
rm -rf "$folder"`;

/** Cleans up when this process is killed; answers what takes that back. */
function hireJanitor(folder: string, command: readonly string[], environment: NodeJS.ProcessEnv): () => void {
  const words = ["--pdeathsig", "SIGTERM", "sh", "-c", janitor, "sh", folder, ...command];
  const child = spawn("setpriv", words, { stdio: "ignore", detached: true, env: environment });
  child.unref();
  return () => {
    if (child.pid !== undefined && child.exitCode === null) attempt(() => process.kill(-Number(child.pid), "SIGKILL"));
  };
}

/** dockerd, containerd and the guards of containers, by their arguments; not who cleans up after them. */
function daemonsOf(folder: string): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const [command = "", ...words] = readText(`/proc/${name}/cmdline`).split("\0");
    const isDaemon = /(?:^|\/)(?:dockerd|containerd|containerd-shim[\w-]*)$/.test(command);
    return isDaemon && words.some((word) => word.startsWith(`${folder}/`)) ? [Number(name)] : [];
  });
}

async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) if (pid > 0) attempt(() => process.kill(pid, "SIGKILL"));
  // Nobody tells of the end of what is no child of ours.
  const lives = (pid: number) => /^State:\s+[^Z]/m.test(readText(`/proc/${pid}/status`));
  while (pids.some(lives)) await new Promise((resolve) => setImmediate(resolve));
}

/** The innermost first. */
function mountsBelow(folder: string): readonly string[] {
  const places = readText("/proc/mounts")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Until dockerd has said that it listens. */
async function untilListening(daemon: ChildProcess): Promise<ChildProcess> {
  if (daemon.stderr === null) throw new Error("dockerd says nothing");
  const lines = createInterface({ input: daemon.stderr });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      if (said.length < 1_000) said.push(line);
      if (line.includes("API listen on")) resolve();
    });
    daemon.once("error", reject);
    daemon.once("exit", () => reject(new Error(`dockerd ended: ${said.slice(-5).join("\n")}`)));
  });
  return daemon;
}

/** Until something answers at the socket. */
async function untilThere(folder: string, socket: string, service: ChildProcess): Promise<void> {
  const watcher = watch(folder);
  try {
    while (!existsSync(socket)) {
      if (service.exitCode !== null) throw new Error(`podman ended with code ${service.exitCode}`);
      await Promise.race([once(watcher, "change"), once(service, "exit")]);
    }
  } finally {
    watcher.close();
  }
  // There is a moment between the socket's birth and the first answer.
  const ask = ["--remote", "--url", `unix://${socket}`, "version"];
  for (let tries = 0; spawnSync("podman", ask, { timeout: 10_000 }).status !== 0; tries++)
    if (tries === 50) throw new Error("podman does not answer");
}

function runner(command: string, before: readonly string[], environment: NodeJS.ProcessEnv) {
  return (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(command, [...before, ...words], {
      ...{ encoding: "utf8", timeout: 60_000, env: environment, maxBuffer: 2 ** 28 },
    });
    if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
}

/** Makes each image once. */
function imageMaker(run: Engine["run"], folder: string): Engine["image"] {
  const made = new Map<string, string>();
  let tar: string | undefined;
  const make = (command: readonly string[], changes: readonly string[]) => {
    tar ??= packRoot(folder);
    const words = `CMD ${JSON.stringify(command)}`;
    if (changes.length === 0) return run("import", "--change", words, tar);
    // To import takes few of the lines that a Dockerfile takes.
    const context = mkdtempSync(join(folder, "build-"));
    cpSync(tar, join(context, "root.tar"));
    writeFileSync(join(context, "Dockerfile"), ["FROM scratch", "ADD root.tar /", ...changes, words].join("\n"));
    return run("build", "-q", context);
  };
  return (command, changes = []) => {
    const key = JSON.stringify([command, changes]);
    const known = made.get(key);
    if (known !== undefined) return known;
    const id = make(command, changes).split("\n").at(-1) ?? "";
    const whole = id.startsWith("sha256:") ? id : `sha256:${id}`;
    made.set(key, whole);
    return whole;
  };
}

/** A tar of a root with nothing but busybox. */
function packRoot(folder: string): string {
  const root = join(folder, "root");
  mkdirSync(join(root, "bin"), { recursive: true });
  mkdirSync(join(root, "tmp"), { recursive: true });
  spawnSync("cp", [busybox, join(root, "bin/busybox")]);
  for (const name of applets.split(" ")) symlinkSync("busybox", join(root, "bin", name));
  const tar = join(folder, "root.tar");
  spawnSync("tar", ["-C", root, "-cf", tar, "."]);
  return tar;
}

/** What may fail because there is nothing to do. */
function attempt(deed: () => unknown): void {
  try {
    deed();
  } catch {
    // The folder is removed in any case.
  }
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"]).error === undefined;
}
