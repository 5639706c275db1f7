import { readdirSync, readFileSync } from "node:fs";

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/**
 * Processes that a command started and that still run: of its group, of its session, and whoever descends from one of these or from
 * `known`, which are the ones of an earlier look. The command itself is one of them.
 */
export function findTree(leader: number, known: ReadonlySet<number>): ReadonlySet<number> {
  const rows = readRows();
  const ours = new Set([leader, ...known]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, parent, group, session } of rows) {
      if (ours.has(parent) || ours.has(group) || ours.has(session)) ours.add(pid);
    }
  }
  const alive = new Set(rows.map(({ pid }) => pid));
  return new Set([...ours].filter((pid) => alive.has(pid)));
}

/** All that run; one that has ended and was not fetched yet does not. */
function readRows(): readonly ProcessRow[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const row = readRow(Number(name));
      return row === undefined ? [] : [row];
    });
}

function readRow(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Its name may hold spaces and parentheses; what follows the last one does not.
    const [state, parent, group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    return { pid, parent: Number(parent), group: Number(group), session: Number(session) };
  } catch {
    return undefined;
  }
}
