import { Fault, type FaultCode } from "#base/fault.ts";

const meanings: Readonly<Record<string, readonly [FaultCode, string, string]>> = {
  ENOENT: ["missing", "it does not exist", "look at the path"],
  ENOTDIR: ["missing", "a part of the path is a file, not a folder", "look at the path"],
  EISDIR: ["invalid", "it is a folder", "name a file"],
  EEXIST: ["conflict", "it exists already", "choose another name"],
  EACCES: ["denied", "you have no permission", "look at its owner and mode with ls -ld"],
  EPERM: ["denied", "it is not permitted", "look at its owner and mode with ls -ld"],
  EROFS: ["denied", "the file system is read-only", "choose another folder"],
  ENOSPC: ["unreachable", "the disk is full", "free some space (df -h)"],
  EDQUOT: ["conflict", "your disk quota is used up", "free some space"],
  ENAMETOOLONG: ["invalid", "the name is too long", "choose a shorter one"],
  ELOOP: ["invalid", "the links lead in a circle", "look at the links with ls -l"],
};

/** What the file system refused, as a Fault: `cannot <deed> <path>: <why>`. What it does not know is `internal`. */
export function fileFault(thrown: unknown, deed: string, path: string): Fault {
  const error = thrown as NodeJS.ErrnoException;
  const [code, why, hint] = meanings[error.code ?? ""] ?? ["internal", error.message, undefined];
  return new Fault(code, `cannot ${deed} ${path}: ${why}`, { hint, cause: thrown });
}
