import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Engine } from "../../packages/fed/src/port/engine.scene.ts";
import { npm } from "./npm.ts";

/**
 * Images that bear the names of public ones, made of what this machine has, where none can be pulled: Node and npm with the
 * packages that a build asks for, and Debian's PostgreSQL. They answer to the same words as those that they stand in for.
 */

const busybox = "/bin/busybox";
/** Loaded by name, so no program's list of libraries has them all. */
const libraries = ["librt.so.1", "libresolv.so.2", "libpthread.so.0", "libdl.so.2"];

function run(command: string, ...words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${stderr}${String(error ?? "")}`);
  return stdout.trim();
}

/** Where PostgreSQL is; undefined when it is not installed. */
export function postgresqlFolder(): string | undefined {
  const all = "/usr/lib/postgresql";
  const versions = existsSync(all) ? readdirSync(all).sort((a, b) => Number(a) - Number(b)) : [];
  return versions.map((version) => join(all, version)).findLast((folder) => existsSync(join(folder, "bin/initdb")));
}

/** Why a test with it cannot run here, as a part of its name; "" when it can. Where CI runs nothing is left out. */
export function withoutPostgresql(): string {
  if (postgresqlFolder() !== undefined) return "";
  const why = " [skipped: needs postgresql]";
  if (process.env.CI === "true") throw new Error(`the slice${why}`);
  return why;
}

/** A root with a shell, names, and the libraries of some programs. */
function makeRoot(root: string, programs: readonly string[]): void {
  for (const folder of ["bin", "etc", "tmp", "usr/bin", "usr/local/bin", "usr/local/etc", "root"])
    mkdirSync(join(root, folder), { recursive: true });
  run("chmod", "1777", join(root, "tmp"));
  cpSync(busybox, join(root, "bin/busybox"));
  for (const name of run(busybox, "--list").split("\n")) {
    if (name !== "busybox") symlinkSync("/bin/busybox", join(root, "bin", name));
  }
  symlinkSync("/bin/busybox", join(root, "usr/bin/env"));
  const users = ["root:x:0:0:root:/root:/bin/sh", "node:x:1000:1000::/tmp:/bin/sh", "postgres:x:999:999::/tmp:/bin/sh"];
  writeFileSync(join(root, "etc/passwd"), `${users.join("\n")}\n`);
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnode:x:1000:\npostgres:x:999:\n");
  writeFileSync(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  const named = programs.flatMap((program) => run("ldd", program).match(/\/\S+(?= \(0x)/g) ?? []);
  const libc = named.find((path) => path.includes("libc.so")) ?? "/lib/libc.so.6";
  for (const path of new Set([...named, ...libraries.map((name) => join(dirname(libc), name))])) {
    if (!existsSync(path)) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(realpathSync(path), join(root, path));
  }
}

function pack(root: string): string {
  const tar = `${root}.tar`;
  run("tar", "-C", root, "--owner=0", "--group=0", "-cf", tar, ".");
  return tar;
}

/** An image that runs a file of TypeScript, which it has nothing beside, with this machine's Node. */
export function makeProgramImage(engine: Engine, program: string, name: string): void {
  const root = join(engine.folder, "program-root");
  makeRoot(root, [process.execPath]);
  cpSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
  cpSync(program, join(root, "program.ts"));
  engine.run("import", "--change", 'CMD ["/usr/local/bin/node", "/program.ts"]', pack(root), name);
}

/** `node:26-slim`, whose npm has what these projects ask for and asks nobody else. */
export function makeNodeImage(engine: Engine, projects: readonly string[]): void {
  const root = join(engine.folder, "node-root");
  makeRoot(root, [process.execPath]);
  cpSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
  const npmFolder = dirname(dirname(realpathSync(run("sh", "-c", "command -v npm"))));
  cpSync(npmFolder, join(root, "usr/local/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  const cache = join(root, "root/.npm");
  for (const project of projects) npm(project, "ci", "--cache", cache);
  const registry = run("npm", "config", "get", "registry");
  const settings = [`registry=${registry}`, "offline=true", "cache=/root/.npm", "update-notifier=false"];
  writeFileSync(join(root, "usr/local/etc/npmrc"), `${settings.join("\n")}\n`);
  const path = "ENV PATH=/usr/local/bin:/usr/bin:/bin";
  engine.run("import", "--change", path, "--change", 'CMD ["node"]', pack(root), "node:26-slim");
}

const entry = `#!/bin/sh
set -eu
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres "$PGDATA"
  exec su postgres -s /bin/sh -c "exec /entry.sh"
fi
export PATH=/postgresql:/bin
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8
  echo "CREATE DATABASE $POSTGRES_USER" | postgres --single -D "$PGDATA" postgres >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" -c unix_socket_directories=
`;

/** `postgres:17`, be it of another version: its variables, its volume, its stop signal. */
export function makePostgresImage(engine: Engine, postgresql: string): void {
  const root = join(engine.folder, "postgres-root");
  const bin = join(postgresql, "bin");
  makeRoot(
    root,
    ["postgres", "initdb", "pg_isready"].map((name) => join(bin, name)),
  );
  const share = postgresql.replace("/usr/lib/", "/usr/share/");
  for (const folder of [bin, join(postgresql, "lib"), share, "/usr/lib/locale/C.utf8"]) {
    if (!existsSync(folder)) continue;
    // What compiles queries is as large as all the rest.
    const filter = (path: string) => !/llvm|bitcode|\/man$/.test(path);
    cpSync(folder, join(root, folder), { recursive: true, filter, verbatimSymlinks: true });
  }
  symlinkSync(bin, join(root, "postgresql"));
  writeFileSync(join(root, "entry.sh"), entry, { mode: 0o755 });
  const context = join(engine.folder, "postgres");
  mkdirSync(context);
  cpSync(pack(root), join(context, "root.tar"));
  const begin = ["FROM scratch", "ADD root.tar /", "ENV PATH=/postgresql:/bin", "STOPSIGNAL SIGINT"];
  const lines = [...begin, 'ENTRYPOINT ["/bin/sh", "/entry.sh"]'];
  writeFileSync(join(context, "Dockerfile"), lines.join("\n"));
  engine.run("build", "-q", "-t", "postgres:17", context);
}
