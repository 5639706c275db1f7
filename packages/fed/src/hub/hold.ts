import { Fault } from "#base/fault.ts";
import { holdLock, type Lock } from "#disk/lock.ts";
import { lockPathIn } from "./presence.ts";

/** One hub, one data folder. */
export function holdFolder(dataFolder: string): Lock {
  try {
    return holdLock(lockPathIn(dataFolder));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== "conflict") throw thrown;
    throw new Fault("conflict", `another hub runs on ${dataFolder}`, {
      hint: `See it with \`fed status\`, end it with \`fed down\`, or choose another folder with --data DIR. (${thrown.message})`,
      cause: thrown,
    });
  }
}

/** Writing resumes by itself in a hub that runs; this one does not. */
export function notStarted(thrown: Fault, dataFolder: string): Fault {
  return new Fault(thrown.code, thrown.message, {
    hint: `Make room (df -h '${dataFolder}') and start fed again. What runs goes on, and nothing is lost.`,
    cause: thrown,
    details: thrown.details,
  });
}
