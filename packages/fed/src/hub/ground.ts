import { join } from "node:path";
import { cryptoRandom, makeId } from "#base/id.ts";
import { makeMeter } from "#base/meter.ts";
import type { Redactor } from "#base/redact.ts";
import { ensureFolder } from "#disk/folder.ts";
import { openControl as openDatabase } from "./db/db.ts";
import { makeWriting } from "./db/writing.ts";
import { openEventLog } from "./event/verbs.ts";
import { holdFolder } from "./hold.ts";
import type { HubOptions } from "./hub-options.ts";
import { readKey } from "./key.ts";
import { forgetPresence } from "./presence.ts";
import { openUsers } from "./user/verbs.ts";

/** What everything else stands on: the folder, the database, the log, who may come in. */
export async function openGround(options: HubOptions, redactor: Redactor, opened: AsyncDisposableStack) {
  const { dataFolder, clock, trace } = options;
  await ensureFolder(dataFolder);
  opened.adopt(holdFolder(dataFolder), (lock) => lock.close());
  await forgetPresence(dataFolder);
  const writing = makeWriting(opened.adopt(openDatabase(dataFolder), (open) => open.close()));
  const { db } = writing;
  const [localToken, signingKey] = await Promise.all([
    readKey(join(dataFolder, "token")),
    readKey(join(dataFolder, "signing.key")),
  ]);
  const events = opened.adopt(openEventLog({ db, clock, trace, redactor }), (log) => log.close());
  const users = openUsers({ db, events, clock, trace, signingKey: Buffer.from(signingKey, "base64url"), localToken });
  const makeCorrelation = () => makeId("cor", { nowMs: () => clock.nowMs(), random: cryptoRandom });
  const hubOrigin = () => ({ actor: "hub", correlation: makeCorrelation() });
  return { db, writing, events, users, redactor, meter: makeMeter(), makeCorrelation, hubOrigin };
}

export type Ground = Awaited<ReturnType<typeof openGround>>;
