import { statfs } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { isFault } from "#base/fault.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog, Origin } from "./event/verbs.ts";

export interface DiskFull {
  readonly sinceMs: number;
  /** Deeds refused since. */
  readonly refused: number;
  readonly folder: string;
}

/** Keeps an eye on the room on the disk of the data folder. */
export interface RoomWatch {
  /** Undefined while there is room. */
  readonly full: DiskFull | undefined;
  /** Sees whether the disk is full now, or has room again. */
  look(): Promise<void>;
}

export interface RoomNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly folder: string;
  origin(): Origin;
  onFull(): void;
  onRoom(): void;
}

/** So much must be free before writing is tried again: with less it would fail again at once. */
const enoughBytes = 4 * 1024 * 1024;

export function makeRoomWatch(needs: RoomNeeds): RoomWatch {
  const { db, events, clock, folder } = needs;
  let sinceMs: number | undefined;

  const noteFull = () => {
    if (sinceMs !== undefined || !db.room.full) return;
    sinceMs = clock.nowMs();
    needs.onFull();
  };

  return {
    get full() {
      noteFull();
      return sinceMs === undefined ? undefined : { sinceMs, refused: db.room.refused, folder };
    },
    async look() {
      noteFull();
      if (sinceMs === undefined) return;
      const { bavail, bsize } = await statfs(folder);
      if (db.room.full && bavail * bsize < enoughBytes) return;
      const { refused } = db.room;
      try {
        events.deed(needs.origin(), (_tx, emit) =>
          emit("hub", { type: "hub.diskFull", sinceMs: sinceMs ?? clock.nowMs(), refused }),
        );
      } catch (thrown) {
        if (isFault(thrown) && thrown.code !== "internal") return;
        throw thrown;
      }
      sinceMs = undefined;
      needs.onRoom();
    },
  };
}

/** A disk fills and empties without an event: the one place that has to ask. */
export function roomLoop(room: RoomWatch) {
  return { name: "disk.room", intervalMs: 2_000, jitter: 0.1, timeoutMs: 10_000, run: () => room.look() };
}
