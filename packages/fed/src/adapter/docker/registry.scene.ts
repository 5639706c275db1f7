/** For tests: a real registry of this machine with a login, from Debian's docker-registry. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Engine } from "#port/engine.scene.ts";
import type { RegistryLogin } from "#port/image.ts";

export interface RealRegistry {
  readonly address: string;
  readonly login: RegistryLogin;
  close(): Promise<void>;
}

/** Of the password `sea salt`, by bcrypt, as `htpasswd -nbB -C 4` makes it. */
const htpasswd = "marit:$2y$04$abcdefghijklmnopqrstuulXmm9Di3SCKvZ5Sb6nRNzyxUp2/1pGW";

/** Why a test with a registry cannot run here, as a part of its name; "" when it can. Where CI runs nothing is left out. */
export function withoutRegistry(): string {
  if (spawnSync("docker-registry", ["--version"]).error === undefined) return "";
  const why = " [skipped: needs docker-registry]";
  if (process.env.CI === "true") throw new Error(`a registry${why}`);
  return why;
}

export async function startRegistry(): Promise<RealRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "fed-registry-"));
  writeFileSync(join(folder, "users"), `${htpasswd}\n`);
  const settings = {
    version: 0.1,
    log: { level: "info", formatter: "json" },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: "127.0.0.1:0" },
    auth: { htpasswd: { realm: "fed", path: join(folder, "users") } },
  };
  // YAML takes JSON.
  writeFileSync(join(folder, "config.yml"), JSON.stringify(settings));
  const child = spawn("setpriv", ["--pdeathsig", "SIGTERM", "docker-registry", "serve", join(folder, "config.yml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines = createInterface({ input: child.stderr });
  const said: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      if (said.length < 100) said.push(line);
      const at = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (at !== undefined) resolve(at);
    });
    child.once("exit", () => reject(new Error(`docker-registry ended: ${said.slice(-5).join("\n")}`)));
  });
  return {
    address,
    login: { user: "marit", password: "sea salt" },
    async close() {
      const ended = once(child, "exit");
      if (child.kill("SIGTERM")) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Podman speaks TLS to every registry unless it is told; Docker takes those of this machine as they are. */
export function letIn(engine: Engine, ...registries: readonly string[]): void {
  if (engine.kind !== "podman") return;
  const folder = join(engine.folder, ".config/containers");
  mkdirSync(folder, { recursive: true });
  const known = [...registries, "127.0.0.1:1"].map((at) => `[[registry]]\nlocation = "${at}"\ninsecure = true\n`);
  writeFileSync(join(folder, "registries.conf"), known.join("\n"));
}
