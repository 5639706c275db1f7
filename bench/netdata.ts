import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { end, once } from "./running.ts";

export interface Netdata {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** netdata with the settings of its package, but folders and a port of its own; undefined where it is not installed. */
export async function startNetdata(): Promise<Netdata | undefined> {
  if (spawnSync("netdata", ["-v"]).status !== 0) {
    process.stdout.write("netdata is not installed (Debian: apt-get install netdata): no peer\n");
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-netdata-"));
  const port = await freePort();
  const words = ["-D", "-u", "root", "-P", join(folder, "pid"), "-W", "set", "web", "bind to", `127.0.0.1:${port}`];
  for (const place of ["cache", "lib", "log"]) words.push("-W", "set", "directories", place, folder);
  const child = spawn("netdata", words, { stdio: "ignore", cwd: "/", detached: true });
  const url = `http://127.0.0.1:${port}`;
  const stop = once(async () => {
    await end(child, "SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; tries < 100; tries++) {
    await pause(200);
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return { url, pid: child.pid ?? 0, stop };
  }
  await stop();
  throw new Error("netdata does not answer");
}
