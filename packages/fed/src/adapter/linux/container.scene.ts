import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A real engine of containers with a folder of its own, that nobody else on this machine sees. */
export interface RealEngine {
  /** For the section's script to find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs its command, and throws when that fails. */
  run(...words: readonly string[]): string;
  close(): Promise<void>;
}

const busybox = "/bin/busybox";
const isRoot = userInfo().uid === 0;

/** Why a test with this engine cannot run here, as a part of its name; "" when it can. Where CI runs nothing is left out. */
export function withoutEngine(command: "dockerd" | "podman"): string {
  const missing = [
    ...(isRoot ? [] : ["root"]),
    ...(spawnSync(command, ["--version"]).error === undefined ? [] : [command === "dockerd" ? "docker.io" : "podman"]),
    ...(existsSync(busybox) ? [] : ["busybox-static"]),
  ];
  if (missing.length === 0) return "";
  const why = ` [skipped: needs ${missing.join(", ")}]`;
  if (process.env.CI === "true") throw new Error(`${command}${why}`);
  return why;
}

/** A tar of a root with nothing but busybox. */
function packRoot(folder: string): string {
  const root = join(folder, "root");
  mkdirSync(join(root, "bin"), { recursive: true });
  spawnSync("cp", [busybox, join(root, "bin/busybox")]);
  for (const name of ["sh", "sleep", "true", "false", "tail"]) symlinkSync("busybox", join(root, "bin", name));
  const tar = join(folder, "root.tar");
  spawnSync("tar", ["-C", root, "-cf", tar, "."]);
  return tar;
}

function runner(command: string, before: readonly string[]) {
  return (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(command, [...before, ...words], { encoding: "utf8", timeout: 30_000 });
    if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
}

/** A dockerd that touches no network of this machine, with the image `bb`. */
export async function startDocker(): Promise<RealEngine> {
  const folder = mkdtempSync(join(tmpdir(), "fed-docker-"));
  const socket = join(folder, "docker.sock");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "-p", join(folder, "pid")];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const child = spawn("dockerd", [...places, ...network, "-H", `unix://${socket}`, "--storage-driver", "vfs"], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const lines = createInterface({ input: child.stderr });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      said.push(line);
      if (line.includes("API listen on")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`dockerd ended: ${said.slice(-5).join("\n")}`)));
  });
  const run = runner("docker", ["-H", `unix://${socket}`]);
  run("import", packRoot(folder), "bb");
  return {
    environment: { DOCKER_HOST: `unix://${socket}` },
    run,
    async close() {
      const ids = run("ps", "-aq").split("\n");
      if (ids[0] !== "") run("rm", "-f", ...ids);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A podman with a home of its own: what it makes is found by XDG_DATA_HOME, as that of somebody without rights. */
export async function startPodman(): Promise<RealEngine> {
  const folder = mkdtempSync(join(tmpdir(), "fed-podman-"));
  const storage = join(folder, "containers/storage");
  const settings = join(folder, "storage.conf");
  writeFileSync(settings, `[storage]\ndriver = "vfs"\ngraphroot = "${storage}"\nrunroot = "${join(folder, "run")}"\n`);
  const engine = join(folder, "containers.conf");
  writeFileSync(
    engine,
    `[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\ntmp_dir = "${join(folder, "tmp")}"\n`,
  );
  const environment = { CONTAINERS_STORAGE_CONF: settings, CONTAINERS_CONF: engine, XDG_DATA_HOME: folder };
  const run = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync("podman", words, {
      encoding: "utf8",
      timeout: 30_000,
      env: { PATH: process.env.PATH, HOME: folder, ...environment },
    });
    if (status !== 0) throw new Error(`podman ${words.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  run("import", packRoot(folder), "localhost/bb");
  return {
    environment: { ...environment, HOME: folder },
    run,
    async close() {
      run("rm", "-af", "-t", "0");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
