import { chmod } from "node:fs/promises";
import { cryptoRandom } from "#base/id.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";

/**
 * A secret of 32 random bytes in base64url, made once and kept in a file that only its user may read. One that others may
 * read, say because a backup was played back, is closed to them again.
 */
export async function readKey(path: string): Promise<string> {
  const known = (await readFileIfThere(path))?.trim();
  if (known) {
    await chmod(path, 0o600);
    return known;
  }
  const key = Buffer.from(cryptoRandom(new Uint8Array(32))).toString("base64url");
  await writeFileAtomic(path, `${key}\n`, { mode: 0o600 });
  return key;
}
