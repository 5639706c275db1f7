import { dirname } from "node:path";
import { Fault, type FaultCode, isFault } from "#base/fault.ts";

interface FileTrouble {
  readonly code: FaultCode;
  readonly what: string;
  hint(path: string): string | undefined;
}

/** What the system's error codes mean for a file or folder, and what to do about it. */
const troubles: Readonly<Record<string, FileTrouble>> = {
  ENOENT: { code: "missing", what: "it is not there", hint: (path) => `Look whether ${dirname(path)} exists.` },
  EACCES: { code: "denied", what: "permission denied", hint: (path) => `Give ${userName()} access: ls -ld '${path}'` },
  EPERM: { code: "denied", what: "not permitted", hint: (path) => `Look who owns it: ls -ld '${path}'` },
  EROFS: { code: "denied", what: "the file system is read-only", hint: () => "Choose a folder that can be written." },
  EISDIR: { code: "conflict", what: "it is a folder", hint: () => "Move the folder away or choose another path." },
  ENOTDIR: {
    code: "conflict",
    what: "a part of the path is a file",
    hint: () => "Move the file away or choose another path.",
  },
  EEXIST: { code: "conflict", what: "something is there already", hint: () => "Move it away or choose another path." },
  ENOTEMPTY: { code: "conflict", what: "the folder is not empty", hint: () => "Move it away or choose another path." },
  ENOSPC: { code: "unreachable", what: "the disk is full", hint: (path) => `Make room: df -h '${dirname(path)}'` },
  EDQUOT: { code: "conflict", what: "the disk quota is used up", hint: () => "Make room, or ask for a larger quota." },
  EFBIG: { code: "conflict", what: "the file would be larger than allowed", hint: () => "Look at ulimit -f." },
  EBUSY: { code: "conflict", what: "something else uses it", hint: () => undefined },
  ENAMETOOLONG: { code: "invalid", what: "the path is too long", hint: () => "Choose a shorter path." },
  ELOOP: {
    code: "invalid",
    what: "its symbolic links go round in a circle",
    hint: (path) => `Mend the link: ls -l '${path}'`,
  },
  ERR_INVALID_ARG_VALUE: { code: "invalid", what: "the path is not one", hint: () => "A path holds no zero byte." },
  EMFILE: { code: "conflict", what: "too many files are open", hint: () => "Raise the limit: ulimit -n" },
  ENFILE: { code: "conflict", what: "too many files are open on this machine", hint: () => undefined },
  EIO: { code: "unreachable", what: "the disk failed", hint: () => "Look at the disk's health: dmesg | tail" },
  ESTALE: { code: "unreachable", what: "the network file system lost it", hint: () => "Mount it again." },
};

const userName = () => (process.geteuid === undefined ? "this user" : `user ${process.geteuid()}`);

/** The system's code of an error, such as `ENOENT`; undefined when it has none. */
export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}

/** A failed deed on a file or folder as a Fault that names the path: `cannot write /x/y: the disk is full`. */
export function fileFault(thrown: unknown, deed: string, path: string): Fault {
  if (isFault(thrown)) return thrown;
  const code = errorCode(thrown);
  const trouble = code === undefined ? undefined : troubles[code];
  const what = trouble?.what ?? (thrown instanceof Error ? thrown.message : String(thrown));
  return new Fault(trouble?.code ?? "internal", `cannot ${deed} ${path}: ${what}`, {
    hint: trouble?.hint(path),
    cause: thrown,
  });
}
