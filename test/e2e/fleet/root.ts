import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Roots of file systems for hosts that are something else than this machine. */

const cache = join(import.meta.dirname, "../../../node_modules/.cache/fed-debian-root");

/** A root with busybox and dropbear and nothing else, as routers have it. */
export function makeBusyboxRoot(root: string): void {
  for (const folder of ["bin", "sbin", "etc/dropbear", "root/.ssh", "proc", "sys", "dev", "tmp", "srv", "run"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const name of execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" }).trim().split("\n")) {
    if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
  }
  copyWithLibraries("/usr/sbin/dropbear", root);
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\n");
  writeFileSync(join(root, "etc/shells"), "/bin/sh\n");
  for (const [name, minor] of [
    ["null", "3"],
    ["urandom", "9"],
    ["random", "8"],
    ["tty", "0"],
  ] as const) {
    execFileSync("mknod", ["-m", "666", join(root, "dev", name), "c", name === "tty" ? "5" : "1", minor]);
  }
}

function copyWithLibraries(program: string, root: string): void {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...listed.matchAll(/(\/\S+\.so\S*)/g)].map(([, path = ""]) => path);
  for (const path of [program, ...libraries]) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}

/** A small Debian of its own, fetched once from the mirror that this machine uses; undefined where that cannot be. */
export function findDebianRoot(): string | undefined {
  if (existsSync(cache)) return cache;
  const site = spawnSync("apt-get", ["indextargets", "--format", "$(SITE)", "Created-By: Packages"], {
    encoding: "utf8",
  });
  const mirror = site.stdout?.split("\n").find((line) => line.endsWith("/debian"));
  if (mirror === undefined) return undefined;
  const making = `${cache}-${process.pid}`;
  const words = ["--variant=minbase", "--include=openssh-server", "bookworm", making, mirror];
  const { status } = spawnSync("debootstrap", words, { stdio: "ignore", timeout: 240_000 });
  if (status !== 0) {
    rmSync(making, { recursive: true, force: true });
    return undefined;
  }
  for (const name of readdirSync(join(making, "var/cache/apt/archives"))) {
    if (name.endsWith(".deb")) rmSync(join(making, "var/cache/apt/archives", basename(name)));
  }
  if (existsSync(cache)) rmSync(making, { recursive: true, force: true });
  else renameSync(making, cache);
  return cache;
}
