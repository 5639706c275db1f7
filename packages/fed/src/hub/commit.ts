import type { Shell } from "#port/shell.ts";
import type { ReleaseNeeds } from "./release/verbs.ts";

const gitMs = 10_000;

/** The commit that a folder's source is at, with `-dirty` when something was not committed; undefined outside of a Git repository. */
export function makeCommitOf(shell: Shell): ReleaseNeeds["prepare"]["commitOf"] {
  return async (folder, signal) => {
    const git = async (...argv: readonly string[]) => {
      const { kind, code, stdout } = await shell.run(
        // Somebody else's repository may hold a configuration that runs programs: it is read, not obeyed.
        { argv: ["git", "-c", "core.fsmonitor=false", "-C", folder, ...argv] },
        { timeoutMs: gitMs },
        signal,
      );
      return kind === "exited" && code === 0 ? stdout.trim() : undefined;
    };
    const commit = await git("rev-parse", "--verify", "HEAD");
    if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
    const changed = await git("status", "--porcelain", "--", ".");
    return changed === "" ? commit : `${commit}-dirty`;
  };
}
