import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const cacheFolder = join(import.meta.dirname, "../node_modules/.cache");

/**
 * The file of a package of Debian's testing suite, such as `usr/bin/prometheus`, fetched once by apt with folders of its own, from the
 * mirror that this machine uses; nothing is installed. Quietly undefined offline. Several test files may do it at once: each in a
 * folder of its own, and the first that has it whole puts it in place.
 */
export function fetchFromTesting(name: string, file: string): string | undefined {
  const cache = join(cacheFolder, `fed-testing-${name}`);
  const wanted = join(cache, file);
  if (existsSync(wanted)) return wanted;
  const site = spawnSync("apt-get", ["indextargets", "--format", "$(SITE)", "Created-By: Packages"], {
    encoding: "utf8",
  });
  const mirror = site.stdout?.split("\n").find((line) => line.endsWith("/debian"));
  if (mirror === undefined) return undefined;
  mkdirSync(dirname(cache), { recursive: true });
  const folder = mkdtempSync(`${cache}-`);
  try {
    if (download(name, mirror, folder) && !existsSync(wanted)) renameSync(join(folder, "whole"), cache);
  } catch (error) {
    if (!existsSync(wanted)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return existsSync(wanted) ? wanted : undefined;
}

/** Unpacks it into `whole` of a folder; whether that went well. */
function download(name: string, mirror: string, folder: string): boolean {
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
  mkdirSync(join(folder, "archives/partial"), { recursive: true });
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(folder, "sources.list"), `deb [signed-by=${keys}] ${mirror} testing main\n`);
  writeFileSync(join(folder, "status"), "");
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, "sources.list")}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::State::status=${join(folder, "status")}`,
    `Dir::Cache=${folder}`,
    "Acquire::Languages=none",
    "Acquire::Retries=3",
  ].flatMap((setting) => ["-o", setting]);
  const options = { cwd: folder, stdio: "ignore", timeout: 90_000 } as const;
  for (const words of [["update"], ["download", name]]) {
    if (spawnSync("apt-get", [...settings, ...words], options).status !== 0) return false;
  }
  const archive = readdirSync(folder).find((one) => one.endsWith(".deb"));
  return archive !== undefined && spawnSync("dpkg-deb", ["-x", archive, "whole"], options).status === 0;
}
