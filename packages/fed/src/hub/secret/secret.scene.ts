import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeRedactor } from "#base/redact.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import { migrate } from "#disk/migrate.ts";
import { openDatabase } from "#disk/sqlite.ts";
import { migrations } from "#hub/db/db.ts";
import { type EventLog, openEventLog } from "#hub/event/verbs.ts";
import type { FedEvent } from "#wire/event.ts";
import { type KeyFiles, openKeyFiles } from "./key-file.ts";
import type { GivenKeys } from "./keyring.ts";
import { openVault } from "./verbs.ts";

export const origin = { actor: "user:ada", correlation: "cor_1" };

export interface VaultOptions {
  readonly given?: Partial<GivenKeys>;
  readonly files?: (real: KeyFiles) => KeyFiles;
  readonly events?: (real: EventLog) => EventLog;
}

/** A data folder of its own, gone after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-vault-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The vault of a data folder, as a hub that starts opens it. */
export async function openTestVault(folder: string, options: VaultOptions = {}) {
  const clock = handClock();
  const diary: TraceEntry[] = [];
  const trace = makeTrace(clock.nowMs, "debug", (entry) => void diary.push(entry));
  const db = openDatabase(join(folder, "control.db"));
  migrate(db, migrations);
  const log = openEventLog({ db, clock, trace });
  const told: FedEvent[] = [];
  log.listen((event) => void told.push(event));
  const files = openKeyFiles(folder, trace);
  const events = options.events?.(log) ?? log;
  let open = true;
  const close = () => {
    if (open) {
      log.close();
      db.close();
    }
    open = false;
  };
  onTestFinished(close);
  let changes = 0;
  const redactor = makeRedactor();
  const vault = await openVault({
    ...{ db, events, clock, trace, redactor, folder: join(folder, "secrets"), files: options.files?.(files) ?? files },
    given: { current: options.given?.current, next: options.given?.next },
    onChange: () => changes++,
  });
  return {
    ...{ vault, db, clock, diary, files, redactor, close },
    changes: () => changes,
    /** The events since the last call: what they are about, and what they say. */
    news: () => told.splice(0).map(({ subject, type, data }) => [subject, type, data] as const),
  };
}

/** A copy of a data folder as it stands. */
export async function copyFolder(folder: string): Promise<string> {
  const copy = await makeFolder();
  await cp(folder, copy, { recursive: true });
  return copy;
}
