import { Fault } from "#base/fault.ts";
import type { ToldStorage } from "#port/collector.ts";
import type { ScriptSection, SectionReader } from "./section.ts";
import { ownText, shown } from "./shown.ts";

/**
 * Pools of ZFS: how they are, how full, and what `zpool status -x` complains of. Their states alone come with each tick (raid.ts).
 *
 * What it says: `p NAME<tab>HEALTH<tab>SIZE<tab>USED` by `zpool list`, then `zpool status -x` whole.
 */
export const poolSection: ScriptSection = {
  name: "pool",
  everyMs: 60_000,
  script: `
    [ -e /proc/spl/kstat/zfs ] && command -v zpool > /dev/null || return 0
    lim 4 zpool list -Hp -o name,health,size,allocated || return
    echo status
    lim 4 zpool status -x
    return 0
  `,
  open: () => readPools,
};

const most = 100;

const readPools: SectionReader = (text, into, tick) => {
  if (tick.code !== 0) {
    throw new Fault(
      "invalid",
      tick.code > 123 ? "zpool did not answer within 4 s" : `zpool failed (code ${tick.code})`,
    );
  }
  if (text === "") return;
  const [list = "", status = ""] = text.split(/^status\n/m);
  const complaints = readComplaints(status);
  const pools = list.split("\n").flatMap((line): readonly ToldStorage[] => {
    const [, name, health = "", size, used] =
      /^([\w.: -]{1,256})\t([A-Z]{1,20})\t(\d{1,20}|-)\t(\d{1,20}|-)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const full = Number(used) / Number(size);
    const parts = [
      health === "ONLINE" ? "online" : `is ${health}`,
      ...(Number.isFinite(full) ? [`${Math.round(full * 100)} % full`] : []),
      ...(complaints.has(name) ? [complaints.get(name) ?? ""] : []),
    ];
    const grade = health !== "ONLINE" ? "bad" : complaints.has(name) ? "warning" : "good";
    return [{ kind: "pool", name: ownText(name), health: grade, detail: parts.join(", ") }];
  });
  if (pools.length > 0) into.storage(pools.slice(0, most));
  if (pools.length > most) into.problem(`${pools.length} pools, of which ${most} are shown`);
};

/** The first sentence of `status:`, by pool. One that is only told that it could be upgraded has nothing to complain of. */
function readComplaints(text: string): ReadonlyMap<string, string> {
  const complaints = new Map<string, string>();
  for (const block of text.split(/^ {2}pool: /m).slice(1, most + 1)) {
    const name = block.slice(0, block.indexOf("\n"));
    const [, said = ""] = /^ ?status: (.*(?:\n\t.*)*)/m.exec(block) ?? [];
    const [sentence = ""] = said.replaceAll(/\s+/g, " ").split(/(?<=\.) /);
    if (sentence !== "" && !/features? (?:are|is) not enabled|legacy on-disk format/.test(sentence)) {
      complaints.set(name, shown(sentence.replace(/\.$/, ""), 200));
    }
  }
  return complaints;
}
