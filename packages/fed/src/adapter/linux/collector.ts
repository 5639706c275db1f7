import { Fault } from "#base/fault.ts";
import type { Collector, RawSection } from "#port/collector.ts";
import { containerSection } from "./container.ts";
import { cpuSection } from "./cpu.ts";
import { diskSection } from "./disk.ts";
import { factsSection } from "./facts.ts";
import { pathMatcher, readFiles, writeFiles } from "./files.ts";
import { filesystemSection } from "./filesystem.ts";
import { gpuSection } from "./gpu.ts";
import { kernelSection } from "./kernel.ts";
import { linkSection } from "./link.ts";
import { loadSection } from "./load.ts";
import { memorySection } from "./memory.ts";
import { networkSection } from "./network.ts";
import { poolSection } from "./pool.ts";
import { pressureSection } from "./pressure.ts";
import { processSection } from "./process.ts";
import { filesWord, makeProgram } from "./program.ts";
import { raidSection } from "./raid.ts";
import { openReading } from "./reading.ts";
import type { FileSection, LinuxSection } from "./section.ts";
import { smartSection } from "./smart.ts";
import { socketSection } from "./socket.ts";
import { temperatureSection } from "./temperature.ts";
import { openTicks, sectionBytes } from "./tick.ts";
import { unitSection } from "./unit.ts";
import { updateSection } from "./update.ts";
import { uptimeSection } from "./uptime.ts";

/** Every section, in the order in which they are asked: what costs least and changes most comes first. */
const linuxSections: readonly LinuxSection[] = [
  cpuSection,
  kernelSection,
  loadSection,
  memorySection,
  pressureSection,
  uptimeSection,
  diskSection,
  raidSection,
  networkSection,
  socketSection,
  filesystemSection,
  linkSection,
  temperatureSection,
  factsSection,
  processSection,
  containerSection,
  gpuSection,
  unitSection,
  poolSection,
  smartSection,
  updateSection,
];

/** What machines with a Linux kernel are asked. */
export function makeLinuxCollector(sections: readonly LinuxSection[] = linuxSections): Collector {
  const program = makeProgram(sections);
  const wordOf = new Map(sections.map((section) => [section.name, "files" in section ? filesWord : section.name]));
  const split = splitter(sections);
  return {
    name: "linux",
    sections: sections.map((one) => ({
      ...{ name: one.name, everyMs: one.everyMs },
      ...("slow" in one && one.slow ? { slow: true } : {}),
    })),
    version: program.version,
    program: program.withMark,
    ask(sequence, names) {
      const words = names.map((name) => wordOf.get(name) ?? unknownSection(name));
      return `${["tick", sequence, ...new Set(words)].join(" ")}\n`;
    },
    openTicks: (mark) => openTicks(mark, split),
    openReading: () => openReading(sections),
  };
}

function unknownSection(name: string): never {
  throw new Fault("invalid", `the collector has no section "${name}"`);
}

/** The files that were read at once become the sections they were read for; other sections stay, within their limit. */
function splitter(sections: readonly LinuxSection[]): (section: RawSection) => readonly RawSection[] {
  const owners = sections
    .filter((section): section is FileSection => "files" in section)
    .map(({ name, files }) => ({ name, owns: pathMatcher(files) }));
  return (section) => {
    if (section.name !== filesWord) return [limited(section)];
    const files = [...readFiles(section.text)];
    return owners.map(({ name, owns }) => {
      const own = new Map(files.filter(([path]) => owns(path)));
      // `head` says 1 when one file of all is missing, which is no news.
      return limited({ name, text: writeFiles(own), code: 0, cut: section.cut });
    });
  };
}

function limited(section: RawSection): RawSection {
  if (section.text.length <= sectionBytes) return section;
  return { ...section, text: section.text.slice(0, sectionBytes), cut: true };
}
