/** Real Caddys for tests: the machine's own, and that of Debian's testing suite, each with a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "#base/clock.ts";
import { silentTrace } from "#base/trace.ts";
import { freePort, type Place } from "#port/ingress.scene.ts";
import type { Shell } from "#port/shell.ts";
import { fetchFromTesting } from "../../../../../test/debian-testing.ts";
import { openLocalShell } from "../local/index.ts";
import { boardFolderName } from "./folder.ts";
import { type CaddyIngressOptions, openCaddyIngress } from "./ingress.ts";

export interface CaddyBinary {
  readonly path: string;
  readonly version: string;
}

/** Those that there are: Debian 12's 2.6 where it is installed, and 2.11 of Debian's testing suite, fetched once. */
export function findCaddys(): readonly CaddyBinary[] {
  const found = new Map<string, CaddyBinary>();
  for (const path of ["caddy", fetchFromTesting("caddy", "usr/bin/caddy")]) {
    if (path === undefined) continue;
    const { stdout, status } = spawnSync(path, ["version"], { encoding: "utf8" });
    const version = /^v?(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
    if (status === 0 && version !== undefined) found.set(version, { path, version });
  }
  if (found.size === 0 && process.env.CI === "true") throw new Error("no caddy is installed: apt-get install caddy");
  return [...found.values()];
}

export interface RunningCaddy {
  readonly shell: Shell;
  /** Of its admin API. */
  readonly admin: string;
  readonly folder: string;
  /** Where its ingress listens. */
  readonly address: Place;
  readonly secure: Place;
  readonly output: () => string;
  /** An ingress by it, as a hub opens one. */
  open(more?: Partial<CaddyIngressOptions>): ReturnType<typeof openCaddyIngress>;
  stop(): Promise<void>;
}

/** Starts one that has nothing to do but to listen for orders; `config` makes more of it. */
export async function startCaddy(
  { path }: CaddyBinary,
  config: (ports: { readonly http: number; readonly https: number }) => object = () => ({}),
): Promise<RunningCaddy> {
  const folder = mkdtempSync(join(tmpdir(), "fed-caddy-"));
  const [adminPort, http, https] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, "caddy.json");
  writeFileSync(file, JSON.stringify({ admin: { listen: `127.0.0.1:${adminPort}` }, ...config({ http, https }) }));
  const environment = { PATH: process.env.PATH ?? "", HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(path, ["run", "--config", file], { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.on("data", (text) => {
    output = (output + text).slice(-64 * 1024);
  });
  const shell = openLocalShell({ clock: systemClock, environment });
  const admin = `http://127.0.0.1:${adminPort}`;
  const stop = async () => {
    await shell.close();
    await end(child);
    const kept = boardFolderName(admin);
    for (const path of [folder, `/run/${kept}`, `/dev/shm/${kept}-${userInfo().uid}`])
      rmSync(path, { recursive: true, force: true });
  };
  for (let tries = 0; !(await isUp(adminPort)); tries++) {
    if (tries > 300 || child.exitCode !== null) {
      await stop();
      throw new Error(`Caddy does not start: ${output}`);
    }
    await pause(50);
  }
  const [address, secure] = [http, https].map((port) => ({ host: "127.0.0.1", port })) as [Place, Place];
  const board = join(folder, "switchboard");
  const listen = { http: `127.0.0.1:${http}`, https: `127.0.0.1:${https}` };
  return {
    ...{ shell, admin, folder: board, address, secure, stop, output: () => output },
    open: (more = {}) =>
      openCaddyIngress({
        ...{ shell, admin, folder: board, listen, settleMs: 20, clock: systemClock, trace: silentTrace },
        ...more,
      }),
  };
}

/** Whether something listens there. */
function isUp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resolve(true));
    socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "close");
}
