import type { ToldStorage } from "#port/collector.ts";
import { readFiles } from "./files.ts";
import { labelled, labelledBy } from "./label.ts";
import type { FileSection, SectionReader, SectionSink } from "./section.ts";
import { ownText } from "./shown.ts";

/** Arrays of mdraid, and the states of ZFS' pools, as the kernel tells them. */
export const raidSection: FileSection = {
  name: "raid",
  everyMs: 0,
  files: ["/proc/mdstat", "/proc/spl/kstat/zfs/*/state"],
  open: openRaid,
};

const mostArrays = 100;
const poolStates = ["online", "degraded", "faulted", "offline", "removed", "unavail", "suspended"] as const;

export interface RaidArray {
  readonly device: string;
  readonly active: boolean;
  /** Such as `raid5`; "" when it is not running. */
  readonly level: string;
  readonly blocks: number;
  readonly syncedBlocks: number;
  /** Undefined for levels without redundancy. */
  readonly required: number | undefined;
  readonly present: number;
  readonly failed: number;
  readonly spare: number;
  readonly work: { readonly kind: "recovery" | "resync" | "reshape" | "check"; readonly percent: number } | undefined;
}

const labels = {
  device: labelled("device"),
  state: labelledBy("device", "state"),
  pool: labelledBy("state", "zpool"),
};

function openRaid(): SectionReader {
  return (text, into, tick) => {
    const files = readFiles(text);
    const arrays = readMdstat(files.get("/proc/mdstat") ?? "");
    for (const array of arrays) tellSamples(into, array);
    if (arrays.length > 0) into.storage(arrays.map(tellArray));
    if (arrays.length === mostArrays) into.problem(`more than ${mostArrays} arrays, of which these are shown`);
    for (const [path, state] of files) {
      const [, pool] = /^\/proc\/spl\/kstat\/zfs\/([\w.: -]{1,256})\/state$/.exec(path) ?? [];
      if (pool === undefined) continue;
      for (const name of poolStates) {
        into.sample("node_zfs_zpool_state", state.trim().toLowerCase() === name ? 1 : 0, labels.pool(name, pool));
      }
    }
    if (tick.cut) into.problem("the kernel told so much of arrays that not all are shown");
  };
}

/** /proc/mdstat as md.c writes it (Linux 2.6 to 6). */
export function readMdstat(text: string): readonly RaidArray[] {
  const arrays: RaidArray[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length && arrays.length < mostArrays; i++) {
    const [, device, active, rest = ""] = /^(md[\w-]{1,32}) : (active|inactive)(?: (.*))?$/.exec(lines[i] ?? "") ?? [];
    if (device === undefined) continue;
    const more: string[] = [];
    for (let next = i + 1; /^ +\S/.test(lines[next] ?? ""); next++) more.push(lines[next] ?? "");
    arrays.push(readArray(device, active === "active", rest, more.join("\n")));
  }
  return arrays;
}

function readArray(device: string, active: boolean, rest: string, more: string): RaidArray {
  const words = rest.replace(/^\((?:auto-)?read-only\) /, "").split(" ");
  const members = words.filter((word) => /\[\d+\]/.test(word));
  const flagged = (flag: string) => members.filter((word) => word.includes(`(${flag})`)).length;
  const [, blocks = "0"] = /^ +(\d{1,18}) blocks/.exec(more) ?? [];
  const [, required, present] = /\[(\d{1,5})\/(\d{1,5})\]/.exec(more) ?? [];
  const [, kind, percent, synced] =
    /(recovery|resync|reshape|check) = +(\d{1,3}(?:\.\d+)?)% \((\d{1,18})\/\d{1,18}\)/.exec(more) ?? [];
  const work = kind as "recovery" | "resync" | "reshape" | "check" | undefined;
  return {
    device,
    active,
    level: active && !/\[\d+\]/.test(words[0] ?? "") ? (words[0] ?? "").slice(0, 20) : "",
    blocks: Number(blocks),
    syncedBlocks: Number(synced ?? blocks),
    required: required === undefined ? undefined : Number(required),
    present: present === undefined ? members.length - flagged("S") - flagged("F") : Number(present),
    failed: flagged("F"),
    spare: flagged("S"),
    work: work === undefined ? undefined : { kind: work, percent: Number(percent) },
  };
}

function tellSamples(
  { sample }: SectionSink,
  { device, active, blocks, syncedBlocks, required, present, failed, spare, work }: RaidArray,
): void {
  const state = !active
    ? "inactive"
    : work === undefined
      ? "active"
      : { recovery: "recovering", resync: "resync", reshape: "resync", check: "check" }[work.kind];
  for (const name of ["active", "inactive", "recovering", "resync", "check"]) {
    sample("node_md_state", state === name ? 1 : 0, labels.state(device, name));
  }
  sample("node_md_disks", present, labels.state(device, "active"));
  sample("node_md_disks", failed, labels.state(device, "failed"));
  sample("node_md_disks", spare, labels.state(device, "spare"));
  sample("node_md_disks_required", required ?? present, labels.device(device));
  sample("node_md_blocks", blocks, labels.device(device));
  sample("node_md_blocks_synced", syncedBlocks, labels.device(device));
}

function tellArray({ device, active, level, required, present, failed, work }: RaidArray): ToldStorage {
  const missing = required === undefined ? 0 : required - present;
  const health =
    !active || (missing > 0 && work === undefined) ? "bad" : missing > 0 || failed > 0 ? "warning" : "good";
  const parts = [
    active ? level : "does not run",
    ...(required === undefined ? [] : [`${present} of ${required} disks`]),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(work === undefined ? [] : [`${work.kind} ${work.percent} %`]),
  ];
  return { kind: "array", name: ownText(device), health, detail: parts.filter((part) => part !== "").join(", ") };
}
