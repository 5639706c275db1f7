import { spawnSync } from "node:child_process";

/** Runs npm in a folder, and throws with what it said when that fails. */
export function npm(folder: string, ...words: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync("npm", words, { cwd: folder, encoding: "utf8", timeout: 180_000 });
  if (status !== 0) throw new Error(`npm ${words.join(" ")}: ${stdout}${stderr}`);
}
