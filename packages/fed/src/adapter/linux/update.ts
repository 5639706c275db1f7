import { Fault } from "#base/fault.ts";
import type { ToldUpdate } from "#port/collector.ts";
import { labelled, labelledBy } from "./label.ts";
import type { ScriptSection, SectionReader } from "./section.ts";
import { shown } from "./shown.ts";

/**
 * Updates that wait, by the lists the machine has: nothing is fetched, nobody needs to be root. A manager of packages takes a second to
 * tell, so it is asked when something has changed. Whether it wants to be restarted is what
 * Debian's flag says, and on Arch that the running kernel's modules are gone.
 *
 * What it says: `manager NAME`, then what the manager says, then `code NUMBER` (with dnf its advisories after that); `restart` when it wants to be restarted.
 */
export const updateSection: ScriptSection = {
  name: "update",
  everyMs: 3_600_000,
  slow: true,
  script: `
    update_ask() {
      command -v "$1" > /dev/null || return
      echo "manager $1"
      lim 25 nice "$@"
      echo "code $?"
    }
    update_list() {
      update_ask apt list --upgradable || update_ask pacman -Qu || update_ask apk version -v -l '<' || {
        update_ask dnf -q -C check-update && lim 9 nice dnf -q -C updateinfo list --updates --security
      }
    }
    # As long as neither its lists nor what is installed has changed it says again what it said; once a day it asks anyhow.
    update_files=$(stat -c '%n %Y %s' /var/lib/apt/lists /var/lib/dpkg/status /var/cache/dnf /var/lib/rpm/* /usr/lib/sysimage/rpm/* \\
      /var/lib/pacman/sync /var/lib/pacman/local /lib/apk/db/installed /var/cache/apk /etc/apk/cache)
    if [ "$update_files" != "$update_seen" ] || [ "$((update_n % 24))" = 0 ]; then
      update_said=$(update_list)
      update_seen=$update_files
      update_n=0
    fi
    update_n=$((update_n + 1))
    [ "$update_said" ] && printf '%s\\n' "$update_said"
    [ -d /var/lib/pacman ] && [ ! -d "/usr/lib/modules/$(uname -r)" ] && echo restart
    [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ] && echo restart
    return 0
  `,
  open: openUpdates,
};

/** So many are told. */
const most = 2_000;

const managers = { apt: readApt, dnf: readDnf, pacman: readPacman, apk: readApk } as const;
type Manager = keyof typeof managers;

/** An update, and where it comes from as its manager says. */
interface Found extends Omit<ToldUpdate, "manager"> {
  readonly origin: string;
  readonly architecture: string;
}

function isManager(name: string | undefined): name is Manager {
  return name !== undefined && Object.hasOwn(managers, name);
}

const labels = { apt: labelledBy("arch", "origin"), dnf: labelled("origin") };

function openUpdates(): SectionReader {
  return (text, into, tick) => {
    const lines = text.split("\n");
    const restart = lines.includes("restart");
    into.sample("node_reboot_required", restart ? 1 : 0);
    const manager = lines[0]?.replace(/^manager /, "");
    if (!isManager(manager)) {
      // A system whose packages we know nothing of, or one without any.
      if (restart) into.updates({ list: [], restart });
      return;
    }
    const end = lines.findIndex((line) => /^code \d{1,3}$/.test(line));
    const complaint = end < 0 ? undefined : complain(manager, Number(lines[end]?.slice(5)));
    if (complaint !== undefined) throw new Fault("invalid", complaint);
    const found = managers[manager](lines.slice(1));
    for (const [key, count] of counted(manager, found)) {
      const [architecture = "", origin = ""] = key.split("\0");
      if (manager === "apt") into.sample("apt_upgrades_pending", count, labels.apt(architecture, origin));
      else if (manager === "dnf") into.sample("yum_upgrades_pending", count, labels.dnf(origin));
      else into.sample(`${manager}_upgrades_pending`, count);
    }
    const list = found.slice(0, most).map(({ origin: _, architecture: __, ...update }) => ({ ...update, manager }));
    into.updates({ list, restart });
    if (found.length > most || tick.cut)
      into.problem(`${found.length} updates wait, of which ${list.length} are shown`);
  };
}

/** `dnf` says 100 for updates there are; `pacman` 1 when there are none. */
function complain(manager: Manager, code: number): string | undefined {
  if (code === 0 || (manager === "dnf" && code === 100) || (manager === "pacman" && code === 1)) return undefined;
  if (code === 124 || code === 137) return `${manager} did not tell of updates in time`;
  if (code === 125) return `${manager} is not asked: the machine has no command timeout`;
  return `${manager} did not tell of updates (code ${code})`;
}

/** How many there are of each architecture (where that is told) and origin; when there are none, that there are none. */
function counted(manager: Manager, found: readonly Found[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { architecture, origin } of found) {
    const key = `${manager === "apt" ? architecture : ""}\0${origin}`;
    // Whoever makes up origins does not make series without end.
    if (counts.size < 50 || counts.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts.size === 0 ? new Map([["\0", 0]]) : counts;
}

/** `libc6/stable-security,stable 2.36-9+deb12u7 amd64 [upgradable from: 2.36-9+deb12u4]` */
function readApt(lines: readonly string[]): readonly Found[] {
  return lines.flatMap((line) => {
    const [, name, origins = "", next, architecture = "", current] =
      /^([^\s/]{1,200})\/(\S{0,300}) (\S{1,200}) (\S{1,40}) \[upgradable from: (\S{1,200})\]$/.exec(line) ?? [];
    if (name === undefined || next === undefined || current === undefined) return [];
    const origin = shown(origins.split(",")[0] ?? "", 100);
    const security = /(?:^|[,-])security(?:,|$)/.test(origins);
    return [
      { name: shown(name, 200), current: shown(current, 200), next: shown(next, 200), security, origin, architecture },
    ];
  });
}

/**
 * `openssl-libs.x86_64    1:3.2.2-3.fc40    updates`, until a line about what is obsolete; then those of security, as
 * `FEDORA-2024-1c1f8a5b4b Important/Sec. openssl-libs-1:3.2.2-3.fc40.x86_64`.
 */
function readDnf(lines: readonly string[]): readonly Found[] {
  const end = lines.findIndex((line) => /^(?:code \d+|Obsoleting .*)$/.test(line));
  const secure = new Set(lines.slice(lines.findIndex((line) => /^code \d+$/.test(line)) + 1).flatMap(namesOfAdvised));
  return (end < 0 ? lines : lines.slice(0, end)).flatMap((line) => {
    const [, name, architecture = "", next, origin = ""] =
      /^(\S{1,200})\.([a-z0-9_]{1,20}) +(\S{1,200}) +(\S{1,100})$/.exec(line.trimEnd()) ?? [];
    if (name === undefined || next === undefined) return [];
    const security = secure.has(`${name}-${next.replace(/^\d+:/, "")}.${architecture}`);
    return [{ name: shown(name, 200), next: shown(next, 200), security, origin: shown(origin, 100), architecture }];
  });
}

/** The package of an advisory, without the epoch: the last word, or with dnf5 the one before the date. All others are no packages. */
function namesOfAdvised(line: string): readonly string[] {
  return line
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/-\d+:/, "-"));
}

/** Of a manager that says neither where an update comes from nor whether it mends a weakness. */
function unnamed(name: string, current: string, next: string): Found {
  const versions = { current: shown(current, 200), next: shown(next, 200) };
  return { name: shown(name, 200), ...versions, security: false, origin: "", architecture: "" };
}

/** `linux 6.6.1.arch1-1 -> 6.6.2.arch1-1`; with `[ignored]` behind it is held. */
function readPacman(lines: readonly string[]): readonly Found[] {
  return lines.flatMap((line) => {
    const [, name, current, next] = /^(\S{1,200}) (\S{1,200}) -> (\S{1,200})$/.exec(line) ?? [];
    if (name === undefined || current === undefined || next === undefined) return [];
    return [unnamed(name, current, next)];
  });
}

/** `musl-1.2.3-r4        < 1.2.3-r5`; a version begins behind the last dash but one. */
function readApk(lines: readonly string[]): readonly Found[] {
  return lines.flatMap((line) => {
    const [, name, current, next] =
      /^(\S{1,200})-([^\s-]{1,100}-r\d{1,9}) +< (\S{1,200})(?: .*)?$/.exec(line.trimEnd()) ?? [];
    if (name === undefined || current === undefined || next === undefined) return [];
    return [unnamed(name, current, next)];
  });
}
