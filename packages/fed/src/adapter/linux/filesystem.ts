import { Fault } from "#base/fault.ts";
import { type Labels, labelledBy } from "./label.ts";
import type { ScriptSection } from "./section.ts";
import { countOf, linesOf, wordsOf } from "./word.ts";

/** Types that hold no files of people, and folders of the system's own: as node_exporter leaves them out, and those of sessions. */
const types =
  "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|erofs|fuse\\.(lxcfs|gvfsd-fuse|portal)|fusectl|hugetlbfs|" +
  "iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs";
const folders =
  "dev|proc|sys|run/(credentials|user|netns|docker|containerd|snapd)|var/lib/(docker|containers/storage|kubelet)/[^ ]+";

/** Behind these is another machine or a program, and asking them can take for ever. */
const slowTypes = "nfs*|cifs|smb*|fuse*|9p|ceph|afs|gfs2|ocfs2|lustre";

const most = 500;

/**
 * First the lines of /proc/self/mounts, with an `m` in front; then of each one that answers `s BLOCKSIZE BLOCKS FREE AVAILABLE FILES
 * FILESFREE MOUNTPOINT`, or a line of `df` where there is no such `stat`; `w MOUNTPOINT` of one that did not answer within two seconds.
 * The others are left for the next time then, so that a tick never waits for more than one, and this one is left alone for ten rounds.
 */
const script = `
  if [ -z "$filesystem_tool" ]; then
  filesystem_tool=df
  stat -f -c %S / >/dev/null && filesystem_tool=stat
  fi
  case $filesystem_tool in
  stat) filesystem_ask="stat -f -c";filesystem_form='s %S %b %f %a %c %d %n';;
  *) filesystem_ask=df;filesystem_form=-Pk;;
  esac
  filesystem_round=$((filesystem_round+1))
  [ $((filesystem_round%10)) = 0 ] && filesystem_stuck=
  filesystem_ifs=$IFS
  IFS=$N
  set -f
  set -- $(grep -Ev '^[^ ]+ (/(${folders})(/[^ ]*)? |[^ ]+ (${types}) )' /proc/self/mounts)
  IFS=$filesystem_ifs
  filesystem_slow=
  for filesystem_line
  do
  shift
  printf 'm %s\\n' "$filesystem_line"
  filesystem_type=\${filesystem_line#* * }
  filesystem_line=\${filesystem_line#* }
  filesystem_line=\${filesystem_line%% *}
  case $filesystem_line in
  *\\\\*) filesystem_line=$(printf %b "$filesystem_line");;
  esac
  case \${filesystem_type%% *} in
  ${slowTypes}) filesystem_slow=$filesystem_slow$N$filesystem_line;;
  *) set -- "$@" "$filesystem_line";;
  esac
  done
  [ $# = 0 ] || $filesystem_ask "$filesystem_form" "$@"
  IFS=$N
  set -- $filesystem_slow
  IFS=$filesystem_ifs
  set +f
  for filesystem_line
  do
  case $filesystem_stuck in
  *"$N$filesystem_line$N"*) printf 'w %s\\n' "$filesystem_line";continue;;
  esac
  lim 2 $filesystem_ask "$filesystem_form" "$filesystem_line"
  case $? in
  124|137)
  printf 'w %s\\n' "$filesystem_line"
  filesystem_stuck=$filesystem_stuck$N$filesystem_line$N
  break;;
  esac
  done
  :
`;

const labelsOf = labelledBy("device", "fstype", "mountpoint");

export const filesystemSection: ScriptSection = {
  name: "filesystem",
  everyMs: 30_000,
  script,
  open() {
    return (text, into) => {
      const mounts = readMounts(text);
      for (const [sample, value, mountpoint] of readFigures(text)) {
        const mount = mounts.get(mountpoint);
        if (mount !== undefined) into.sample(sample, value, mount.labels);
      }
      for (const [mountpoint, { labels, readonly, silent }] of mounts) {
        into.sample("node_filesystem_readonly", Number(readonly), labels);
        into.sample("node_filesystem_device_error", Number(silent), labels);
        if (silent) into.problem(`${mountpoint} (${labels.fstype}) does not answer`);
      }
      if (mounts.size >= most) into.problem(`more than ${most} filesystems are mounted, of which ${most} are told`);
      if (mounts.size === 0 && text !== "") throw new Fault("invalid", "no line of /proc/self/mounts can be read");
    };
  },
};

interface Mount {
  readonly labels: Labels;
  readonly readonly: boolean;
  silent: boolean;
}

/** By mountpoint; what is mounted last at a place covers what was there before. */
function readMounts(text: string): ReadonlyMap<string, Mount> {
  const mounts = new Map<string, Mount>();
  for (const line of text.split("\n")) {
    if (line.startsWith("w ")) {
      const mount = mounts.get(line.slice(2));
      if (mount !== undefined) mount.silent = true;
    }
    if (!line.startsWith("m ")) continue;
    const [, device, place, type, options] = line.split(" ");
    if (device === undefined || place === undefined || type === undefined || options === undefined) continue;
    const mountpoint = unescapeMount(place);
    if (mounts.size >= most && !mounts.has(mountpoint)) continue;
    mounts.set(mountpoint, {
      labels: labelsOf(unescapeMount(device), type, mountpoint),
      readonly: options.split(",").includes("ro"),
      silent: false,
    });
  }
  return mounts;
}

/** Each with the place it is about, once for each place. */
function* readFigures(text: string): Iterable<readonly [metric: string, value: number, mountpoint: string]> {
  const seen = new Set<string>();
  for (const line of linesOf(text)) {
    const figures = line.startsWith("s ") ? readStat(line) : line.startsWith("m ") ? undefined : readDf(line);
    if (figures === undefined || seen.has(figures.mountpoint)) continue;
    seen.add(figures.mountpoint);
    for (const [metric, value] of figures.samples) {
      if (value !== undefined) yield [`node_filesystem_${metric}`, value, figures.mountpoint];
    }
  }
}

interface Figures {
  readonly mountpoint: string;
  readonly samples: readonly (readonly [metric: string, value: number | undefined])[];
}

function readStat(line: string): Figures | undefined {
  const found = /^s((?: \d{1,20}){6}) (\/.*)$/.exec(line);
  const [size, blocks, free, available, files, filesFree] = wordsOf(found?.[1] ?? "").map(countOf);
  if (found === null || size === undefined) return undefined;
  const bytes = (count: number | undefined) => (count === undefined ? undefined : count * size);
  return {
    mountpoint: found[2] ?? "",
    samples: [
      ["size_bytes", bytes(blocks)],
      ["free_bytes", bytes(free)],
      ["avail_bytes", bytes(available)],
      ["files", files],
      ["files_free", filesFree],
    ],
  };
}

/** Kilobytes; what is used and what is free for people leave out what is kept for root. */
function readDf(line: string): Figures | undefined {
  const found = /\s(\d{1,20})\s+(\d{1,20})\s+(\d{1,20})\s+(?:\d{1,3}%|-)\s+(\/.*)$/.exec(line);
  const [size, used, available] = [found?.[1], found?.[2], found?.[3]].map(countOf);
  if (found === null || size === undefined || used === undefined || available === undefined) return undefined;
  return {
    mountpoint: found[4] ?? "",
    samples: [
      ["size_bytes", size * 1024],
      ["free_bytes", Math.max(0, size - used) * 1024],
      ["avail_bytes", available * 1024],
    ],
  };
}

/** The kernel writes a space, a tab, a newline, a hash and a backslash as three octal digits. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
