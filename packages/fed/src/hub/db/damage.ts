import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "#base/fault.ts";
import { databaseBytes, endedHard, findDamage } from "#disk/sqlite-check.ts";
import { type Copy, listCopies, timeText } from "./copy.ts";

/**
 * Up to this size the database is checked at every start: at most 90 ms when it is in the cache, half a second from a slow
 * disk, of the second and a half a start may take. A larger one (512 MiB of events may be kept) is checked at the start only
 * when the hub before was killed or lost its power, which is when a disk breaks its promises; else `checkLoop` does it soon
 * after. The mark of a clean end costs nothing: SQLite removes its log when it closes the database.
 */
const checkedBytes = 64 * 1024 * 1024;

/** Fault `invalid` when the database is damaged, with what to do; nothing is changed. */
export function requireSound(path: string, nowMs: number): void {
  const marked = existsSync(markOf(path));
  if (databaseBytes(path) > checkedBytes && !endedHard(path) && !marked) return;
  // Indexes are not looked at by the quick one, and may be all that is wrong.
  const damage = findDamage(path, marked ? "full" : "quick");
  if (damage !== undefined) throw damageFault(path, damage, nowMs, "It was left untouched, its -wal too.");
  if (marked) rmSync(markOf(path), { force: true });
}

/** Notes beside a database that it was found damaged, so that the next start looks at it whatever its size. */
export function markDamaged(path: string): void {
  try {
    writeFileSync(markOf(path), "", { mode: 0o600 });
  } catch {
    // The disk may be what is bad; then only its size decides.
  }
}

/** Goes where the database goes: the commands below move `control.db*`. */
const markOf = (path: string) => `${path}-damaged`;

/** That the control database is damaged, and the commands that help. `first` says what became of it. */
export function damageFault(path: string, damage: string, nowMs: number, first: string): Fault {
  const dataFolder = dirname(path);
  const copies = listCopies(dataFolder);
  const sound = copies.find((copy) => findDamage(copy.path, "quick") === undefined);
  const aside = join(dataFolder, `damaged-${timeText(nowMs)}`);
  const moveAside = `mkdir -m 700 ${quote(aside)} && mv ${quote(path)}* ${quote(aside)}/`;
  return new Fault("invalid", `the control database ${path} is damaged: ${damage}`, {
    hint: [
      `${first} Look at the disk (dmesg | tail). Then stop fed, if it runs, and`,
      ...(sound === undefined ? [] : waysBack(sound, moveAside, path)),
      `${sound === undefined ? "" : "or "}begin anew; accounts, tokens and history are gone, the wishes come from your lab file:`,
      `  ${moveAside}`,
    ].join("\n"),
    details: { path, damage, copies: copies.map((copy) => copy.path) },
  });
}

function waysBack({ path: copy, before, time }: Copy, moveAside: string, path: string): readonly string[] {
  return [
    `go back to the copy of ${time}, made before migration ${before}; what came after it is gone:`,
    `  ${moveAside} && cp -p ${quote(copy)} ${quote(path)}`,
  ];
}

/** As one word of a shell. */
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
