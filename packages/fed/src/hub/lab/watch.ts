import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";

export interface FileWatch {
  /** Watches these files from now on, in place of those before. */
  update(files: readonly string[]): void;
  /** `onChange` is not called any more. */
  close(): void;
}

export interface WatchOptions {
  readonly clock: Clock;
  /** How long it must be quiet before `onChange`; 50 when left out. Ten times that is the longest wait. */
  readonly settleMs?: number;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Device and inode: a folder that was made anew is another one under the same name. */
  readonly identity: string;
}

/**
 * Calls `onChange` once after each burst of changes to the files: written, replaced, deleted or created; they need not be
 * there. All of them lie in `folder`. Folders are watched rather than files, because most editors replace a file with a
 * new one; so is the folder above `folder`, which may itself be replaced. Fault `unsupported` when the system has no
 * watch left to give.
 */
export function watchFiles(
  files: readonly string[],
  folder: string,
  onChange: () => void,
  options: WatchOptions,
): FileWatch {
  const { clock, settleMs = 50 } = options;
  const held = new Map<string, Watched>();
  let wanted = namesByFolder(files, folder);
  let timer: Timer | undefined;
  let latestMs = 0;
  let closed = false;

  const stir = () => {
    if (closed) return;
    refresh(tryOpen);
    const nowMs = clock.tickMs();
    if (timer === undefined) latestMs = nowMs + 10 * settleMs;
    timer?.cancel();
    timer = clock.after(Math.min(settleMs, latestMs - nowMs), () => {
      timer = undefined;
      onChange();
    });
  };

  const open = (path: string): void => {
    const identity = identify(path);
    if (held.get(path)?.identity === identity) return;
    drop(path);
    if (identity === undefined) return; // The folder above tells when it comes.
    const watcher = watch(path, (_, name) => {
      if (name === null || wanted.get(path)?.has(name)) stir();
    });
    watcher.on("error", () => drop(path));
    held.set(path, { watcher, identity });
  };
  /** What cannot be watched while running is tried again at the next change of what can. */
  const tryOpen = (path: string) => {
    try {
      open(path);
    } catch {
      drop(path);
    }
  };
  const drop = (path: string) => {
    held.get(path)?.watcher.close();
    held.delete(path);
  };
  const refresh = (openOne: (path: string) => void) => {
    for (const path of [...held.keys()]) if (!wanted.has(path)) drop(path);
    for (const path of wanted.keys()) openOne(path);
  };
  const close = () => {
    closed = true;
    timer?.cancel();
    for (const path of [...held.keys()]) drop(path);
  };

  try {
    refresh((path) => {
      try {
        open(path);
      } catch (cause) {
        // A folder above that may be entered but not listed is no reason to give up; nothing left to watch with is.
        if (["ENOSPC", "EMFILE"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw explain(cause, folder);
      }
    });
  } catch (fault) {
    close();
    throw fault;
  }
  return {
    update(next) {
      if (closed) return;
      wanted = namesByFolder(next, folder);
      refresh(tryOpen);
    },
    close,
  };
}

/** For each folder from the one above `folder` down to the files: the names in it that matter. */
function namesByFolder(files: readonly string[], folder: string): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  const above = dirname(folder);
  for (const file of [folder, ...files]) {
    for (let path = file; path !== above && path !== dirname(path); path = dirname(path)) {
      const parent = dirname(path);
      const inParent = names.get(parent) ?? new Set();
      names.set(parent, inParent.add(basename(path)));
    }
  }
  return names;
}

function identify(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    return stat.isDirectory() ? `${stat.dev}:${stat.ino}` : undefined;
  } catch {
    return undefined;
  }
}

function explain(cause: unknown, folder: string): Fault {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hint = "raise the limit (sysctl fs.inotify.max_user_watches and max_user_instances)";
  return new Fault("unsupported", `cannot watch ${folder} for changes (${code ?? message})`, { hint, cause });
}
