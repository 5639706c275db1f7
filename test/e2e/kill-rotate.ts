import { systemClock as clock } from "../../packages/fed/src/base/clock.ts";
import { makeRedactor } from "../../packages/fed/src/base/redact.ts";
import { silentTrace as trace } from "../../packages/fed/src/base/trace.ts";
import { openControl } from "../../packages/fed/src/hub/db/db.ts";
import { type EventLog, openEventLog } from "../../packages/fed/src/hub/event/verbs.ts";
import { type KeyFiles, openKeyFiles } from "../../packages/fed/src/hub/secret/key-file.ts";
import { openVault } from "../../packages/fed/src/hub/secret/verbs.ts";

/**
 * A program that rotates the master key of a data folder and kills itself at a step, or rotates again and again until it is killed:
 * `node kill-rotate.ts FOLDER STEP|forever`. Says each key that it was told to be the new one.
 */
const [, , folder = "", step = ""] = process.argv;

/** Where it may be killed. */
export type Step =
  | "before the new file"
  | "after the new file"
  | "before the transaction"
  | "before the commit"
  | "after the commit"
  | "before the rename"
  | "after the rename";

const origin = { actor: "local", correlation: "cor_kill" };

function dieAt(name: Step): void {
  if (name === step) process.kill(process.pid, "SIGKILL");
}

const db = openControl(folder);
const log = openEventLog({ db, clock, trace });

const events: EventLog = {
  ...log,
  deed(by, work) {
    dieAt("before the transaction");
    const done = log.deed(by, (tx, emit) => {
      const result = work(tx, emit);
      dieAt("before the commit");
      return result;
    });
    dieAt("after the commit");
    return done;
  },
};

const real = openKeyFiles(folder, trace);
const files: KeyFiles = {
  ...real,
  async writeNext(key) {
    dieAt("before the new file");
    await real.writeNext(key);
    dieAt("after the new file");
  },
  async takeNext() {
    dieAt("before the rename");
    await real.takeNext();
    dieAt("after the rename");
  },
};

const given = { current: undefined, next: undefined };
const vault = await openVault({
  ...{ db, events, clock, trace, files, given, onChange: () => {} },
  ...{ folder: `${folder}/secrets`, redactor: makeRedactor() },
});
process.stdout.write("begin\n");
do {
  const { to } = await vault.rotate(origin);
  process.stdout.write(`${to}\n`);
} while (step === "forever");
