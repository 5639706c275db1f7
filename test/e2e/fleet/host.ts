import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findDebianRoot, makeBusyboxRoot } from "./root.ts";

/**
 * A host of the proof: a network, process and mount namespace of its own, with its own sshd (or dropbear) on port 22, its own host
 * name and a disk of 4 MB at /srv.
 */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly kind: HostKind;
  /** Boots it; resolves when its port of SSH answers. */
  start(): Promise<void>;
  /** All of it dies at once. */
  kill(): Promise<void>;
  /** All of its processes stand still, its kernel answers. */
  freeze(): void;
  thaw(): void;
  /** Its cable is pulled. */
  cut(): void;
  plug(): void;
  /** Of what it is sent and sends; undefined: as fast as it can. */
  limit(bitsPerSecond: number | undefined): void;
  /** Another host key, from its next start on. */
  changeHostKey(): void;
  /** Who may log in: OpenSSH's public keys. */
  authorize(publicKeys: readonly string[]): void;
  fillDisk(): void;
  emptyDisk(): void;
  /** Its processes, without those that boot it. */
  processes(): readonly number[];
}

/** `debian`: this machine's own root. `busybox`: busybox and dropbear. `debootstrap`: a Debian of its own. */
export type HostKind = "debian" | "busybox" | "debootstrap";

const boot = `
set -e
mount --make-rprivate /
hostname "$1"
case $2 in
debian)
  mount -t proc proc /proc
  mount -t tmpfs -o size=4m,mode=1777 fed-srv /srv
  mount -t tmpfs -o size=4m fed-run /run
  mkdir /run/sshd
  # Seventeen hosts at once would read this machine's lists of packages for minutes; that of debootstrap reads its own.
  mount -t tmpfs -o size=1m fed-lists /var/lib/apt/lists
  exec /usr/sbin/sshd -D -e -f "$3/sshd_config" ;;
*)
  mount -t proc proc "$3/root/proc"
  mount --rbind /sys "$3/root/sys" 2>/dev/null || mount -t sysfs sysfs "$3/root/sys"
  mount -t tmpfs -o size=4m,mode=1777 fed-srv "$3/root/srv"
  if [ "$2" = busybox ]; then
    exec chroot "$3/root" /usr/sbin/dropbear -F -E -s -p 22 -r /etc/dropbear/key
  fi
  mount --bind /dev "$3/root/dev"
  mkdir -p "$3/root/run/sshd"
  exec chroot "$3/root" /usr/sbin/sshd -D -e -f /etc/ssh/fed_config ;;
esac
`;

interface Place {
  readonly name: string;
  readonly kind: HostKind;
  readonly address: string;
  readonly namespace: string;
  /** Its end of the cable outside; the other one is called eth0. */
  readonly cable: string;
  /** Its own. */
  readonly folder: string;
}

export async function makeHost(place: Place): Promise<Host & { close(): Promise<void> }> {
  const { name, kind, address, folder, namespace, cable } = place;
  mkdirSync(folder, { recursive: true });
  const root = join(folder, "root");
  const overlaid = prepareRoot(kind, folder, root);
  const keyPath = kind === "busybox" ? join(root, "etc/dropbear/key") : join(folder, "host_key");
  const keysPath = kind === "debian" ? join(folder, "authorized_keys") : join(root, "root/.ssh/authorized_keys");
  makeHostKey(kind, keyPath);
  if (kind !== "busybox") writeSshdConfig(kind, folder, root);
  let booted: ChildProcess | undefined;
  let said = "";

  const kill = async () => {
    const going = booted;
    booted = undefined;
    if (!going || going.exitCode !== null || going.signalCode !== null) return;
    const ended = once(going, "exit");
    going.kill("SIGKILL");
    await ended;
    // Whoever was stopped dies only now.
    for (const pid of pidsIn(namespace)) signalTo(pid, "SIGKILL");
    while (pidsIn(namespace).length > 0) await pause(10);
  };

  const host: Host = {
    ...{ name, address, kind, kill },
    async start() {
      if (kind === "debootstrap") copyKey(keyPath, join(root, "etc/ssh/fed_host_key"));
      const words = [
        "--mount",
        "--pid",
        "--fork",
        "--uts",
        "--kill-child",
        "sh",
        "-c",
        boot,
        "boot",
        name,
        kind,
        folder,
      ];
      const child = spawn("ip", ["netns", "exec", namespace, "unshare", ...words], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said = `${said}${text}`.slice(-10_000);
      });
      booted = child;
      await untilAnswering(address, () => (child.exitCode === null ? undefined : said));
    },
    freeze: () => signalAll(namespace, "SIGSTOP"),
    thaw: () => signalAll(namespace, "SIGCONT"),
    cut: () => ip("link", "set", cable, "down"),
    plug: () => ip("link", "set", cable, "up"),
    limit(bitsPerSecond) {
      spawnSync("tc", ["qdisc", "del", "dev", cable, "root"]);
      spawnSync("ip", ["netns", "exec", namespace, "tc", "qdisc", "del", "dev", "eth0", "root"]);
      if (bitsPerSecond === undefined) return;
      const shape = ["root", "tbf", "rate", `${bitsPerSecond}bit`, "burst", "2kb", "latency", "2s"];
      execFileSync("tc", ["qdisc", "add", "dev", cable, ...shape]);
      execFileSync("ip", ["netns", "exec", namespace, "tc", "qdisc", "add", "dev", "eth0", ...shape]);
    },
    changeHostKey() {
      rmSync(keyPath, { force: true });
      makeHostKey(kind, keyPath);
    },
    authorize(publicKeys) {
      mkdirSync(join(keysPath, ".."), { recursive: true, mode: 0o700 });
      writeFileSync(`${keysPath}.new`, `${publicKeys.join("\n")}\n`, { mode: 0o600 });
      renameSync(`${keysPath}.new`, keysPath);
    },
    fillDisk: () => fill(diskOf(namespace)),
    emptyDisk: () => rmSync(diskOf(namespace), { force: true }),
    processes: () => pidsIn(namespace),
  };
  return {
    ...host,
    async close() {
      await kill();
      if (overlaid) spawnSync("umount", ["--lazy", root]);
      spawnSync("umount", ["--lazy", join(folder, "over")]);
    },
  };
}

/** Whether it is mounted over another one. */
function prepareRoot(kind: HostKind, folder: string, root: string): boolean {
  if (kind === "debian") return false;
  mkdirSync(root, { recursive: true });
  if (kind === "busybox") {
    makeBusyboxRoot(root);
    return false;
  }
  const below = findDebianRoot();
  if (below === undefined) throw new Error("a Debian root cannot be fetched here");
  const over = join(folder, "over");
  mkdirSync(over);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256m", "fed-over", over]);
  mkdirSync(join(over, "upper"));
  mkdirSync(join(over, "work"));
  const layers = `lowerdir=${below},upperdir=${join(over, "upper")},workdir=${join(over, "work")}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, root]);
  return true;
}

function makeHostKey(kind: HostKind, path: string): void {
  if (kind === "busybox") execFileSync("dropbearkey", ["-t", "ed25519", "-f", path], { stdio: "ignore" });
  else execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
}

function copyKey(from: string, to: string): void {
  writeFileSync(to, readFileSync(from), { mode: 0o600 });
  chmodSync(to, 0o600);
}

function writeSshdConfig(kind: HostKind, folder: string, root: string): void {
  const apart = kind === "debootstrap";
  const lines = [
    "Port 22",
    `HostKey ${apart ? "/etc/ssh/fed_host_key" : join(folder, "host_key")}`,
    `AuthorizedKeysFile ${apart ? "/root/.ssh/authorized_keys" : join(folder, "authorized_keys")}`,
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "StrictModes no",
    "UsePAM no",
    // bash reads no .bashrc below this level: the one of this machine's root is nobody's business here, and may hang.
    "SetEnv SHLVL=3",
    "PidFile none",
    "MaxStartups 100",
    "MaxSessions 20",
  ];
  writeFileSync(apart ? join(root, "etc/ssh/fed_config") : join(folder, "sshd_config"), `${lines.join("\n")}\n`);
}

async function untilAnswering(address: string, ended: () => string | undefined): Promise<void> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const why = ended();
    if (why !== undefined) throw new Error(`the host at ${address} did not boot: ${why}`);
    if (await answers(address)) return;
    if (performance.now() > endMs) throw new Error(`the host at ${address} does not answer`);
    await pause(20);
  }
}

/** Whether it says who it is: a port that takes connections may belong to one that stands still. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 500 });
    const end = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.once("data", () => end(true));
    socket
      .once("error", () => end(false))
      .once("timeout", () => end(false))
      .once("close", () => end(false));
  });
}

function pidsIn(namespace: string): readonly number[] {
  const { stdout } = spawnSync("ip", ["netns", "pids", namespace], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(Number)
    .filter((pid) => !/^(ip|unshare)$/.test(nameOf(pid)));
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "ip";
  }
}

function signalAll(namespace: string, signal: NodeJS.Signals): void {
  for (const pid of pidsIn(namespace)) signalTo(pid, signal);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** A file on its disk, seen from outside through a process that has it mounted. */
function diskOf(namespace: string): string {
  const [pid] = pidsIn(namespace);
  if (pid === undefined) throw new Error("the host is not up");
  return `/proc/${pid}/root/srv/ballast`;
}

function fill(path: string): void {
  const file = openSync(path, "w");
  const chunk = Buffer.alloc(65_536, 1);
  try {
    for (;;) writeSync(file, chunk);
  } catch {
    // No room is left: that was the point.
  } finally {
    closeSync(file);
  }
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words);
}
