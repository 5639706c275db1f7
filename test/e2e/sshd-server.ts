import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SshLogin } from "../../packages/fed/src/port/shell.ts";

export const sshdProgram = "/usr/sbin/sshd";

export interface SshdOptions {
  /** One or more addresses of loopback; 127.0.0.1 when left out. */
  readonly addresses?: readonly string[];
  /** Types of its host keys, as ssh-keygen has them; `ed25519` when left out. */
  readonly hostKeys?: readonly string[];
  /** More lines of its sshd_config; a SetEnv should set SHLVL, too. */
  readonly config?: string;
}

/** A real sshd that lets in the user who runs the tests, by a key that was made for it. */
export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** Path of the private key it lets in. */
  readonly key: string;
  readonly pid: number;
  login(machine?: string): SshLogin;
  /** Everything it has running for those who are logged in, itself left out. */
  processes(): readonly number[];
  /** Kills it with everything; its port is closed when that is answered. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** With the same address, and new host keys if asked to. */
  restart(newKeys?: "new keys"): Promise<void>;
  log(): string;
}

/** Starts one; whoever does must end it. */
export async function openSshd({
  addresses = ["127.0.0.1"],
  hostKeys = ["ed25519"],
  config = "",
}: SshdOptions = {}): Promise<{ readonly sshd: Sshd; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "fed-sshd-"));
  const key = join(folder, "key");
  const host = addresses[0] ?? "127.0.0.1";
  const port = await freePort(host);
  // The place where it goes without rights before somebody has logged in.
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  makeKey(key, "ed25519");
  makeKeys();
  const lines = [
    ...addresses.map((address) => `ListenAddress ${address}:${port}`),
    ...hostKeys.map((type) => `HostKey ${folder}/host-${type}`),
    `AuthorizedKeysFile ${folder}/key.pub`,
    `PidFile ${folder}/pid`,
    ...["StrictModes no", "UsePAM no", "PasswordAuthentication no", "LogLevel VERBOSE"],
    ...["MaxStartups 1000:1:1000", "PerSourceMaxStartups none"],
    config,
    // bash reads no .bashrc below this level: what stands in that of whoever runs the tests is nobody's business here.
    "SetEnv SHLVL=3",
  ];
  writeFileSync(join(folder, "config"), `${lines.join("\n")}\n`);
  let [said, child] = ["", undefined as ChildProcess | undefined];
  const pid = () => child?.pid ?? 0;

  function makeKeys(): void {
    for (const type of hostKeys) makeKey(join(folder, `host-${type}`), type);
  }
  async function start(): Promise<void> {
    child = spawn(sshdProgram, ["-D", "-e", "-f", join(folder, "config")], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (bytes) => {
      said = `${said}${bytes}`.slice(-100_000);
    });
    await untilOpen(
      host,
      port,
      () => child?.exitCode === null,
      () => said,
    );
  }
  function tell(signal: NodeJS.Signals): void {
    for (const one of [...treeOf(pid()), pid()]) send(one, signal);
  }
  async function kill(): Promise<void> {
    const ended = child?.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    tell("SIGKILL");
    await ended;
  }

  await start();
  const sshd: Sshd = {
    ...{ host, port, folder, key, kill },
    get pid() {
      return pid();
    },
    login: (machine = "node5") => ({
      ...{ machine, host, port, user: userInfo().username },
      keys: [{ from: key, text: readFileSync(key, "utf8") }],
    }),
    processes: () => treeOf(pid()),
    freeze: () => tell("SIGSTOP"),
    thaw: () => tell("SIGCONT"),
    async restart(newKeys) {
      await kill();
      if (newKeys !== undefined) makeKeys();
      await start();
    },
    log: () => said,
  };
  return {
    sshd,
    async end() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeKey(path: string, type: string): void {
  rmSync(path, { force: true });
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", path]);
}

/** Its children, theirs, and so on; zombies left out. */
function treeOf(root: number): readonly number[] {
  const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,stat="], { encoding: "utf8" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state?.startsWith("Z"));
  const found = new Set([root]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of rows) if (found.has(Number(parent))) found.add(Number(pid));
  }
  found.delete(root);
  return [...found];
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 1) process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

async function freePort(host = "127.0.0.1"): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

async function untilOpen(host: string, port: number, runs: () => boolean, said: () => string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    if (!runs() || tries > 500) throw new Error(`sshd does not start: ${said()}`);
    await pause(10);
  }
}
