import { Fault } from "#base/fault.ts";
import type { ToldFacts } from "#port/collector.ts";
import { cpuName } from "./cpu-name.ts";
import { type FileTexts, readFiles } from "./files.ts";
import { readMemory } from "./memory.ts";
import { osName, readRelease } from "./os-release.ts";
import type { ScriptSection, SectionSink } from "./section.ts";
import { shown } from "./shown.ts";
import { findVirtualization } from "./virtualization.ts";
import { lineOf, momentOf, numberOf, wordsOf } from "./word.ts";

const kernel = "/proc/sys/kernel";
const dmi = "/sys/class/dmi/id";
const deviceTree = "/proc/device-tree/model";

/** What cannot change while the shell lives is asked once. */
const script = `
  [ "$facts_fixed" ] || facts_fixed=$(
  echo "==> /fed/machine <=="
  uname -m
  echo "$N==> /fed/cpu <=="
  grep -E '^(model name|Model|Hardware|cpu model|cpu|CPU part|system type|machine)[[:space:]]*:' /proc/cpuinfo | sort -u | head -n 20
  echo "$N==> /fed/virtualization <=="
  lim 2 systemd-detect-virt
  grep -q '^flags.* hypervisor' /proc/cpuinfo && echo hypervisor
  for facts_file in /.dockerenv /run/.containerenv /proc/vz /proc/xen
  do
  [ -e $facts_file ] && echo $facts_file
  done
  echo
  show ${dmi}/sys_vendor ${dmi}/product_name ${deviceTree} /run/systemd/container /sys/hypervisor/type | tr -d '\\000'
  )
  echo "$facts_fixed$N"
  show ${kernel}/hostname ${kernel}/domainname ${kernel}/osrelease ${kernel}/version ${kernel}/ostype /proc/meminfo /proc/uptime \
/proc/stat /etc/os-release /usr/lib/os-release /etc.defaults/VERSION /etc/redhat-release /etc/openwrt_release
`;

/** Of each word: the hub keeps them in its database and hands them to everybody who lists machines. */
const mostLetters = 200;

/** Of a start that is measured: the clock and the count of seconds are read one after the other. */
const sameStartMs = 5000;

export const factsSection: ScriptSection = {
  name: "facts",
  everyMs: 60_000,
  script,
  open() {
    let bootedMs = 0;
    return (text, into, { machineMs }) => {
      const files = readFiles(text);
      const uptime = numberOf(wordsOf(files.get("/proc/uptime") ?? "")[0]);
      const measured = uptime === undefined ? 0 : momentOf(Math.round(machineMs / 1000 - uptime) * 1000);
      if (Math.abs(measured - bootedMs) > sameStartMs) bootedMs = measured;
      const release = readRelease(files);
      const machine = lineOf(files.get("/fed/machine")) ?? "";
      tellInfo(files, machine, release, into);
      into.facts(readFacts(files, machine, release, bootedMs));
    };
  },
};

function readFacts(
  files: FileTexts,
  machine: string,
  release: ReadonlyMap<string, string>,
  bootedMs: number,
): ToldFacts {
  const hostname = lineOf(files.get(`${kernel}/hostname`));
  const memory = readMemory(files.get("/proc/meminfo") ?? "");
  const memoryBytes = memory.get("MemTotal_bytes");
  if (hostname === undefined || memoryBytes === undefined) {
    throw new Fault("invalid", "it does not tell its name and its memory: /proc is missing or hidden");
  }
  const cpu = cpuName(files.get("/fed/cpu") ?? "");
  const swapBytes = memory.get("SwapTotal_bytes");
  const hardware = findHardware(files);
  const virtualization = findVirtualization(files);
  const word = (text: string) => shown(text, mostLetters);
  return {
    hostname: word(hostname),
    os: word(osName(files, release)),
    kernel: word(lineOf(files.get(`${kernel}/osrelease`)) ?? ""),
    architecture: word(architectureOf(machine)),
    cores: files.get("/proc/stat")?.match(/^cpu\d+ /gm)?.length ?? 1,
    memoryBytes,
    bootedMs,
    ...(cpu !== undefined && { cpu: word(cpu) }),
    ...(swapBytes !== undefined && { swapBytes }),
    ...(hardware !== undefined && { hardware: word(hardware) }),
    ...(virtualization !== undefined && { virtualization: word(virtualization) }),
  };
}

function tellInfo(files: FileTexts, machine: string, release: ReadonlyMap<string, string>, into: SectionSink): void {
  const told = (name: string) => lineOf(files.get(`${kernel}/${name}`)) ?? "";
  into.sample("node_uname_info", 1, {
    domainname: told("domainname"),
    // node_exporter's label `machine` is called so by every Prometheus that puts labels of its own on a machine.
    exported_machine: machine,
    nodename: told("hostname"),
    release: told("osrelease"),
    sysname: told("ostype"),
    version: told("version"),
  });
  if (release.size === 0) return;
  const names =
    "build_id id id_like image_id image_version name pretty_name variant variant_id version version_codename version_id";
  const labels = Object.fromEntries(names.split(" ").map((name) => [name, release.get(name.toUpperCase()) ?? ""]));
  into.sample("node_os_info", 1, labels);
}

/** As Node.js names it; what Node.js does not know stays as the kernel says it. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
  i386: "ia32",
  i486: "ia32",
  i586: "ia32",
  i686: "ia32",
  mips64: "mips64",
  mipsel: "mipsel",
  ppc64le: "ppc64",
  loongarch64: "loong64",
};

function architectureOf(machine: string): string {
  if (/^armv?[5-8]/.test(machine)) return "arm";
  return Object.hasOwn(architectures, machine) ? (architectures[machine] ?? machine) : machine;
}

/** Boards tell a name in their device tree; PCs a maker and a product, which some makers leave as they came. */
function findHardware(files: FileTexts): string | undefined {
  const board = lineOf(files.get(deviceTree));
  if (board !== undefined) return board;
  const words = [lineOf(files.get(`${dmi}/sys_vendor`)), lineOf(files.get(`${dmi}/product_name`))].filter(
    (word) =>
      word !== undefined &&
      !/^(to be filled|default string|system (manufacturer|product)|not specified|o\.e\.m)/i.test(word),
  );
  return words.length === 0 ? undefined : words.join(" ");
}
