import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Redactor } from "#base/redact.ts";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { Database } from "#disk/sqlite.ts";
import type { LogLine, LogOptions } from "#port/runtime.ts";
import { readLines, writeLines } from "./file.ts";
import { type EndedInstance, type KeptLog, outdatedOf } from "./log.ts";
import { deleteLog, findLog, saveLog, selectAllLogs, selectLogs } from "./store.ts";

export type { EndedInstance, KeptLog };

/** What instances that are gone have written. */
export interface KeptLogs {
  /**
   * Keeps the lines of an instance that is about to be removed, at least the last 10 MB; again is in the place of before. Faults of the
   * disk and of whoever gives the lines: then nothing is kept of it.
   */
  keep(ended: EndedInstance, lines: AsyncIterable<LogLine>, signal: AbortSignal): Promise<void>;
  /** Of one service, the oldest first. */
  list(environment: string, service: string): readonly KeptLog[];
  find(instance: string): KeptLog | undefined;
  /** As a runtime's `logs`; nothing follows. Fault `missing` for an instance of which nothing is kept. */
  read(instance: string, options: Pick<LogOptions, "tail" | "after">, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Removes what is too old or too much, and files that nobody knows of. */
  sweep(): Promise<void>;
}

/** Of an environment, a service or an instance. */
const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

export interface LogNeeds {
  readonly db: Database;
  /** The folder `logs` of the data folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Takes secrets out of what is written. */
  readonly redactor: Pick<Redactor, "redact">;
}

export function openKeptLogs(needs: LogNeeds): KeptLogs {
  const { db, folder, redactor } = needs;
  const pathOf = ({ environment, service, instance }: Pick<KeptLog, "environment" | "service" | "instance">) => {
    // They are what a machine says of what runs there, and must not lead elsewhere.
    if (![environment, service, instance].every((name) => plainName.test(name)))
      throw new Fault(
        "invalid",
        `${JSON.stringify([environment, service, instance])} cannot be the place of an output`,
      );
    return join(folder, environment, service, `${instance}.log`);
  };
  /** Instances whose files are being written. */
  const busy = new Set<EndedInstance>();
  const isBusy = (name: string) => [...busy].some(({ instance }) => name.startsWith(`${instance}.`));

  async function drop(logs: readonly KeptLog[]) {
    if (logs.length === 0) return;
    // The file goes first: a row without one reads as nothing, a file without a row is in nobody's count.
    for (const log of logs) await rm(pathOf(log), { force: true });
    db.tx((tx) => {
      for (const { instance } of logs) deleteLog(tx, instance);
    });
  }

  return {
    async keep(ended, lines, signal) {
      const path = pathOf(ended);
      await ensureFolder(join(folder, ended.environment, ended.service));
      busy.add(ended);
      try {
        const sizeBytes = await writeLines(path, cleanLines(lines, redactor, signal));
        db.tx((tx) => saveLog(tx, { ...ended, sizeBytes }));
      } finally {
        busy.delete(ended);
      }
      await drop(outdatedOf(selectAllLogs(db), needs.clock.nowMs()));
    },
    list: (environment, service) => selectLogs(db, environment, service),
    find: (instance) => findLog(db, instance),
    async *read(instance, options, signal) {
      const log = findLog(db, instance);
      if (log === undefined) {
        throw new Fault("missing", `nothing is kept of the instance ${instance}`, {
          hint: "The output of instances that are gone is kept for 30 days, of the last 20 of a service.",
        });
      }
      for await (const line of readLines(pathOf(log), options, signal)) yield { instance, ...line };
    },
    async sweep() {
      await drop(outdatedOf(selectAllLogs(db), needs.clock.nowMs()));
      // Asked for each file: what was kept while others went is known by now.
      const isKnown = (name: string) =>
        name.endsWith(".log") && findLog(db, name.slice(0, -".log".length)) !== undefined;
      await dropStrangers(folder, (name) => isBusy(name) || isKnown(name));
    },
  };
}

/** An abort is no end of the lines: half of them is not what is kept. */
async function* cleanLines(
  lines: AsyncIterable<LogLine>,
  { redact }: Pick<Redactor, "redact">,
  signal: AbortSignal,
): AsyncIterable<Pick<LogLine, "text" | "at">> {
  for await (const { text, at } of lines) {
    signal.throwIfAborted();
    yield { text: redact(text), at };
  }
  signal.throwIfAborted();
}

/** Files of a hub that was killed while it wrote them, and of rows that a restored database does not have. */
async function dropStrangers(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  try {
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (entry.isFile() && !isOurs(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true });
    }
  } catch (thrown) {
    if (errorCode(thrown) !== "ENOENT") throw fileFault(thrown, "tidy up", folder);
  }
}
