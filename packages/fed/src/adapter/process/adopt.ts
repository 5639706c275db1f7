/** Finds what an earlier hub left: what runs is watched on, what has ended is told. */

import { watch } from "node:fs";
import { join } from "node:path";
import { membersOf, signalMembers } from "./group.ts";
import { type Held, holdInstance, settle } from "./instance.ts";
import { openOutput } from "./output.ts";
import { isAlive, type ProcessRow } from "./proc.ts";
import { listRecords, outputFolder, readExit, readMark, readRecord } from "./record.ts";
import { type State, warnOnce } from "./state.ts";

/** Takes on every instance in the folder that is not held yet. */
export async function adoptAll(state: State): Promise<void> {
  const isNew = (id: string) => !state.held.has(id) && !state.starting.has(id);
  if (!listRecords(state.options.folder).some(isNew)) return;
  const rows = await state.around.look();
  const fresh = listRecords(state.options.folder).filter(isNew);
  const adopted = fresh.map((id) => adopt(state, id, rows)).filter((one) => one !== undefined);
  for (const one of adopted) state.held.set(one.record.id, one);
  // Those with an end written down may have stragglers: these are waited for, but not here.
  await Promise.all(
    adopted.map((one) => {
      const settled = settle(state.around, one);
      return membersOf({ id: one.record.id, leader: one.leader, outputPath: one.output.path }, rows).length > 0
        ? undefined
        : settled;
    }),
  );
}

function adopt(state: State, id: string, rows: readonly ProcessRow[]): Held | undefined {
  const folder = join(state.options.folder, id);
  const record = readRecord(state.options.folder, id);
  const output = openOutput(outputFolder(folder));
  const leader =
    "problem" in record || record.boot === state.boot ? (readMark(folder) ?? findLeader(id, rows)) : undefined;
  if ("problem" in record) {
    // Without labels nobody could name it, so it must not run on.
    signalMembers(leader, membersOf({ id, leader, outputPath: output.path }, rows), "SIGKILL");
    warnOnce(state, `record ${id}`, "an instance's record cannot be read: its processes were ended", {
      id,
      problem: record.problem,
    });
    return undefined;
  }
  const one = holdInstance(record, folder, output, leader);
  if (leader === undefined || !isAlive(leader)) return one;
  state.ports.hold(record.address.port, id);
  try {
    one.watcher = watch(folder, () => {
      if (readExit(folder) !== undefined) void settle(state.around, one);
    });
    one.watcher.on("error", () => one.watcher?.close());
  } catch (error) {
    warnOnce(state, "watch", "the system gives no more file watches: ends are noticed later", { id, error });
  }
  return one;
}

/** For a hub killed before the wrapper could write down its number. */
function findLeader(id: string, rows: readonly ProcessRow[]): ProcessRow | undefined {
  return rows.find((row) => row.instance === id && row.pid === row.session);
}
