import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ToldFacts } from "#port/collector.ts";
import { cpuName } from "./cpu-name.ts";
import { factsSection } from "./facts.ts";
import { writeFiles } from "./files.ts";
import { osName, readRelease } from "./os-release.ts";
import { openReading } from "./reading.ts";
import { findVirtualization } from "./virtualization.ts";

const files = (of: Readonly<Record<string, string>>) => new Map(Object.entries(of));

test.each([
  ["model name\t: AMD  Ryzen 7   5800X\nCPU part\t: 0xd08\n", "AMD Ryzen 7 5800X"],
  ["CPU part\t: 0xd0b\nModel\t\t: Raspberry Pi 5\n", "Cortex-A76"],
  ["CPU part\t: 0x999\nHardware\t: BCM2835\n", "BCM2835"],
  ["cpu\t\t: POWER9, altivec supported\nmachine\t\t: PowerNV\n", "POWER9, altivec supported"],
  ["cpu\t: 0\nsystem type\t: MediaTek MT7621\n", "MediaTek MT7621"],
  ["CPU part : constructor\n", undefined],
  ["", undefined],
])("a processor is called by %j", (lines, name) => expect(cpuName(lines)).toBe(name));

describe("a system's name", () => {
  const nameOf = (of: Readonly<Record<string, string>>) => osName(files(of), readRelease(files(of)));

  test.each([
    [{ "/etc/os-release": "PRETTY_NAME='Single $quoted'\n" }, "Single $quoted"],
    [{ "/etc/os-release": 'PRETTY_NAME="A \\"quoted\\" \\$name"\r\n' }, 'A "quoted" $name'],
    [{ "/etc/os-release": "NAME=NixOS\nVERSION=24.05\n" }, "NixOS 24.05"],
    [{ "/usr/lib/os-release": "PRETTY_NAME=Elsewhere\n" }, "Elsewhere"],
    [
      { "/etc/os-release": "PRETTY_NAME=\n", "/etc/openwrt_release": "DISTRIB_DESCRIPTION='OpenWrt 19.07'\n" },
      "OpenWrt 19.07",
    ],
    [{ "/etc/redhat-release": "CentOS release 6.10 (Final)\n" }, "CentOS release 6.10 (Final)"],
    [{}, "Linux"],
  ])("of %j", (of, name) => expect(nameOf(of)).toBe(name));
});

describe("what is beneath a machine", () => {
  const dmi = (vendor: string, product: string) => ({
    "/sys/class/dmi/id/sys_vendor": vendor,
    "/sys/class/dmi/id/product_name": product,
  });

  test.each([
    ["what systemd says", { "/fed/virtualization": "kvm\n" }, "kvm"],
    ["bare metal", { "/fed/virtualization": "none\n/.dockerenv\n" }, undefined],
    ["a container that says so", { "/run/systemd/container": "lxc\n" }, "lxc"],
    ["Docker's sign", { "/fed/virtualization": "\n/.dockerenv\n" }, "docker"],
    ["a maker", dmi("VMware, Inc.\n", "VMware7,1\n"), "vmware"],
    ["a product", dmi("Microsoft Corporation\n", "Virtual Machine\n"), "microsoft"],
    ["a laptop of the same maker", dmi("Microsoft Corporation\n", "Surface Pro\n"), undefined],
    ["only the processor's word", { "/fed/virtualization": "hypervisor\n" }, "vm"],
    ["nothing", {}, undefined],
  ])("by %s", (_, of, name) => expect(findVirtualization(files(of as Record<string, string>))).toBe(name));
});

test("generated facts come back, and the start of the machine does not wander with its clock", () => {
  const word = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,30}$/);
  fc.assert(
    fc.property(
      word,
      word,
      fc.integer({ min: 1, max: 64 }),
      fc.nat(),
      fc.nat(900),
      (hostname, release, cores, memory, drift) => {
        const reading = openReading([factsSection]);
        const tell = (uptime: string, machineMs: number): ToldFacts | undefined => {
          const text = writeFiles(
            files({
              "/fed/machine": "aarch64\n",
              "/proc/sys/kernel/hostname": `${hostname}\n`,
              "/proc/sys/kernel/osrelease": `${release}\n`,
              "/proc/meminfo": `MemTotal: ${memory} kB\n`,
              "/proc/stat": Array.from({ length: cores }, (_, i) => `cpu${i} 1 2 3 4\n`).join(""),
              "/proc/uptime": `${uptime} 1.0\n`,
            }),
          );
          const sections = [{ name: "facts", text, code: 1, cut: false }];
          return reading({ sequence: machineMs, machineMs, sections }, () => {}).facts;
        };
        const told = tell("1000.00", 1_800_000_000_000);
        expect(told).toEqual({
          hostname,
          os: "Linux",
          kernel: release,
          architecture: "arm64",
          cores,
          memoryBytes: memory * 1024,
          bootedMs: 1_799_999_000_000,
        });
        expect(tell("1060.00", 1_800_000_060_000 + drift)).toEqual(told);
        expect(tell("5.00", 1_800_000_120_000)?.bootedMs).toBe(1_800_000_115_000);
      },
    ),
  );
});

test("a machine that says too much, or what no date can name, is told in short and can be shown", () => {
  const flood = `\u001b[31m<b>${"x".repeat(100_000)}`;
  const text = writeFiles(
    files({
      "/fed/machine": `${flood}\n`,
      "/fed/cpu": `model name : ${flood}\n`,
      "/proc/sys/kernel/hostname": `${flood}\n`,
      "/proc/sys/kernel/osrelease": `${flood}\n`,
      "/proc/meminfo": "MemTotal: 1 kB\n",
      "/proc/uptime": "99999999999999999999.0 1.0\n",
      "/etc/os-release": `PRETTY_NAME="${flood}"\n`,
      "/run/systemd/container": `${flood}\n`,
      "/proc/device-tree/model": `${flood}\n`,
    }),
  );
  const sections = [{ name: "facts", text, code: 0, cut: false }];
  const told = openReading([factsSection])({ sequence: 1, machineMs: 1_800_000_000_000, sections }, () => {}).facts;
  const words = Object.values(told ?? {}).filter((value) => typeof value === "string");
  expect(words).toHaveLength(7);
  for (const word of words) expect(word).toMatch(/^\[31m<b>x{100,200}$/);
  expect(new Date(told?.bootedMs ?? Number.NaN).getTime()).toBe(told?.bootedMs);
});
