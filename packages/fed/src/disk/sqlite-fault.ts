import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { Fault, type FaultCode, isFault } from "#base/fault.ts";

interface SqliteTrouble {
  readonly code: FaultCode;
  readonly what: string;
  readonly hint: string | undefined;
}

const restore = "It was left as it is. Move it away to begin anew, or put a backup in its place.";

const [failed, damaged, full, notDatabase] = [10, 11, 13, 26];

/** SQLite's primary result codes (sqlite.org/rescode.html) that are not a defect of ours; a full disk stands below. */
const troubles: Readonly<Record<number, SqliteTrouble>> = {
  3: { code: "denied", what: "permission denied", hint: "Look who owns the file and its folder." },
  5: { code: "conflict", what: "another process is writing to it", hint: "Wait, or end that process, and try again." },
  8: {
    code: "denied",
    what: "it cannot be written",
    hint: "Look who owns the file and its folder, and whether the disk is read-only.",
  },
  [failed]: { code: "unreachable", what: "the disk failed", hint: "Look at the disk's health: dmesg | tail" },
  [damaged]: { code: "invalid", what: "the file is damaged", hint: restore },
  14: {
    code: "denied",
    what: "the file or its folder cannot be opened",
    hint: "Look who owns the file and its folder.",
  },
  [notDatabase]: { code: "invalid", what: "the file is not a database", hint: restore },
};

/** Two rows want to be the same: primary key, rowid or a unique column. */
const notUnique: readonly number[] = [1555, 2067, 2579];

/**
 * What node:sqlite throws as a Fault naming the deed and the file. Everything unknown is a defect: `internal`, with the
 * text of the statement (never its values) in the details.
 */
export function sqliteFault(thrown: unknown, deed: string, path: string, text?: string): Fault {
  if (isFault(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const extended = resultCode(thrown);
  if (extended !== undefined && notUnique.includes(extended))
    return new Fault("conflict", `cannot ${deed} ${path}: ${message}`, { cause: thrown });
  if (isForRoom(extended, path)) return diskFull(thrown, deed, path);
  const trouble = extended === undefined ? undefined : troubles[extended & 0xff];
  return new Fault(trouble?.code ?? "internal", `cannot ${deed} ${path}: ${trouble?.what ?? message}`, {
    hint: trouble?.hint,
    cause: thrown,
    details: trouble || text === undefined ? undefined : { sql: text },
  });
}

/** Whether there was no room left. */
export function isDiskFull(thrown: unknown): thrown is Fault {
  if (!isFault(thrown)) return false;
  const { details } = thrown;
  return typeof details === "object" && details !== null && "diskFull" in details;
}

function diskFull(cause: unknown, deed: string, path: string): Fault {
  const folder = dirname(path);
  return new Fault("unreachable", `cannot ${deed} ${path}: the disk is full`, {
    hint: `Make room: df -h '${folder}'. What runs goes on, reading too, and writing resumes by itself.`,
    cause,
    details: { diskFull: folder },
  });
}

/** SQLite says that the disk failed, not that it is full, where it was the file beside the log that could not grow. */
const leastBytes = 64 * 1024;

function isForRoom(extended: number | undefined, path: string): boolean {
  if (extended === undefined) return false;
  const primary = extended & 0xff;
  if (primary !== failed) return primary === full;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < leastBytes;
  } catch {
    return false;
  }
}

/** Whether the file itself is bad, and no other trouble stands in the way of reading it. */
export function isDamage(thrown: unknown): boolean {
  const extended = resultCode(thrown);
  return extended !== undefined && [damaged, notDatabase].includes(extended & 0xff);
}

/** Whether someone else holds the lock it needs. */
export function isBusy(thrown: unknown): boolean {
  const extended = resultCode(thrown);
  return extended !== undefined && (extended & 0xff) === 5;
}

/** The extended result code; its low byte is the primary one. */
function resultCode(thrown: unknown): number | undefined {
  return thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number"
    ? thrown.errcode
    : undefined;
}
