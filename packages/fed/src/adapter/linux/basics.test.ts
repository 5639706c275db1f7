import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cpuSection } from "./cpu.ts";
import { diskSection } from "./disk.ts";
import { writeFiles } from "./files.ts";
import { kernelSection } from "./kernel.ts";
import { loadSection } from "./load.ts";
import { memorySection } from "./memory.ts";
import { networkSection } from "./network.ts";
import { pressureSection } from "./pressure.ts";
import { tellOne } from "./section.scene.ts";
import type { FileSection } from "./section.ts";
import { uptimeSection } from "./uptime.ts";

/** Generated figures, written as the kernel writes them, come back as they were. */
const count = fc.oneof(fc.nat(), fc.bigInt(0n, 2n ** 64n - 1n).map(Number), fc.constant(0));
const device = fc.string({
  unit: fc.constantFrom(..."abcxyz019.-_@+'\"<>&ü家"),
  minLength: 1,
  maxLength: 15,
});
const text = (value: number) => BigInt(value >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(value)).toString();

function tell(section: FileSection, files: Readonly<Record<string, string>>, machineMs = 1_800_000_000_000) {
  return tellOne(section.open(), writeFiles(new Map(Object.entries(files))), { machineMs }).samples;
}

test("times of CPUs come back, whichever are online and however many columns the kernel has", () => {
  const cpus = fc.uniqueArray(fc.tuple(fc.nat(512), fc.array(count, { minLength: 4, maxLength: 10 })), {
    minLength: 1,
    maxLength: 20,
    selector: ([number]) => number,
  });
  const modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
  fc.assert(
    fc.property(cpus, (all) => {
      const lines = all.map(([cpu, times]) => `cpu${cpu} ${times.map(text).join(" ")}\n`);
      const samples = tell(cpuSection, { "/proc/stat": `cpu  1 2 3 4\n${lines.join("")}intr 5\n` });
      const expected = all.flatMap(([cpu, times]) =>
        modes
          .slice(0, times.length)
          .map((mode, i) => [`{cpu="${cpu}",mode="${mode}"}`, (times[i] ?? 0) / 100] as const),
      );
      expect([...samples]).toEqual(expected.map(([labels, value]) => [`node_cpu_seconds_total${labels}`, value]));
    }),
  );
});

test("memory comes back by its names, in bytes where the kernel says kilobytes", () => {
  const name = fc.stringMatching(/^[A-Z][A-Za-z0-9_]{0,20}(\([a-z]{1,6}\))?$/);
  const fields = fc.uniqueArray(fc.tuple(name, fc.nat(), fc.boolean()), {
    minLength: 1,
    maxLength: 60,
    selector: ([name]) => name.replace(/\((.*)\)/, "_$1"),
  });
  fc.assert(
    fc.property(fields, (all) => {
      const lines = all.map(
        ([name, value, kb]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)}${kb ? " kB" : ""}\n`,
      );
      const spaced = lines.map((line) => line.replace(/:(\d)/, ": $1"));
      const expected = all.map(([name, value, kb]) => {
        const metric = `node_memory_${name.replace(/\((.*)\)/, "_$1")}`;
        return kb ? [`${metric}_bytes`, value * 1024] : [metric, value];
      });
      expect([...tell(memorySection, { "/proc/meminfo": spaced.join("") })]).toEqual(expected);
    }),
  );
});

test("disks come back with 11, 15 and 17 fields, without partitions", () => {
  const disk = fc.tuple(
    fc.constantFrom("sda", "nvme0n1", "dm-3", "md127", "mmcblk0", "cciss/c0d0"),
    fc.constantFrom(11, 15, 17),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(disk, { minLength: 1, selector: ([name]) => name }),
      fc.array(count, { minLength: 17, maxLength: 17 }),
      (disks, values) => {
        const line = ([name, fields]: readonly [string, number]) =>
          `   8       0 ${name} ${values.slice(0, fields).map(text).join(" ")}\n`;
        const partition = `   8       1 sda1 ${values.map(text).join(" ")}\n   8       2 sdb2 1 2 3 4\n`;
        const samples = tell(diskSection, { "/proc/diskstats": disks.map(line).join("") + partition });
        expect(samples.size).toBe(disks.reduce((sum, [, fields]) => sum + fields, 0));
        for (const [name, fields] of disks) {
          expect(samples.get(`node_disk_written_bytes_total{device="${name}"}`)).toBe((values[6] ?? 0) * 512);
          const flushes = samples.get(`node_disk_flush_requests_total{device="${name}"}`);
          expect(flushes).toBe(fields === 17 ? values[15] : undefined);
        }
      },
    ),
  );
});

test("interfaces come back, whatever they are called", () => {
  const row = fc.tuple(
    device.filter((name) => !/^(veth|cali|lxc|tap|vnet|fw)/.test(name)),
    fc.array(count, { minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(row, { selector: ([name]) => name, maxLength: 10 }), (rows) => {
      const head = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n";
      const lines = rows.map(([name, values]) => `${name.padStart(6)}:${values.map(text).join(" ")}\n`);
      const samples = tell(networkSection, { "/proc/net/dev": head + lines.join("") });
      expect(samples.size).toBe(rows.length * 9);
      for (const [name, values] of rows) {
        const of = (metric: string) => samples.get(`node_network_${metric}_total{device=${JSON.stringify(name)}}`);
        expect([of("receive_bytes"), of("transmit_bytes")]).toEqual([values[0], values[8]]);
        expect([of("receive_drop"), of("transmit_drop")]).toEqual([values[3], values[11]]);
      }
    }),
  );
});

test("load, pressure, counts of the kernel and the start come back", () => {
  const load = fc.nat(100_000).map((hundredths) => hundredths / 100);
  fc.assert(
    fc.property(load, load, load, fc.nat(), (one, five, fifteen, number) => {
      expect([
        ...tell(loadSection, {
          "/proc/loadavg": `${one.toFixed(2)} ${five.toFixed(2)} ${fifteen.toFixed(2)} 1/99 7\n`,
        }),
      ]).toEqual([
        ["node_load1", one],
        ["node_load5", five],
        ["node_load15", fifteen],
      ]);
      const some = `some avg10=0.00 avg60=1.00 avg300=0.00 total=${number}\n`;
      expect([...tell(pressureSection, { "/proc/pressure/io": `${some}${some.replace("some", "full")}` })]).toEqual([
        ["node_pressure_io_waiting_seconds_total", number / 1e6],
        ["node_pressure_io_stalled_seconds_total", number / 1e6],
      ]);
      const stat = `cpu 1\nintr ${number} 1 2\nctxt ${number}\nbtime ${number}\nprocesses 3\nprocs_running 4\nprocs_blocked 5\n`;
      const kernel = tell(kernelSection, {
        "/proc/stat": stat,
        "/proc/vmstat": `nr_free 1\noom_kill ${number}\n`,
        "/proc/sys/fs/file-nr": `${number}\t0\t9223372036854775807\n`,
      });
      expect(kernel.get("node_intr_total")).toBe(number);
      expect(kernel.get("node_vmstat_oom_kill")).toBe(number);
      expect(kernel.get("node_filefd_allocated")).toBe(number);
      expect([...kernel.keys()]).not.toContain("node_vmstat_nr_free");
      expect(tell(uptimeSection, { "/proc/stat": stat }).get("node_boot_time_seconds")).toBe(number);
    }),
  );
});

test("the start of a machine that does not tell it is counted back from its clock", () => {
  expect([...tell(uptimeSection, { "/proc/uptime": "100.50 3.00\n" }, 1_000_000_000)]).toEqual([
    ["node_time_seconds", 1_000_000],
    ["node_boot_time_seconds", 999_900],
  ]);
});

describe.each([
  cpuSection,
  kernelSection,
  loadSection,
  memorySection,
  pressureSection,
  uptimeSection,
  diskSection,
  networkSection,
])("$name", (section) => {
  test("of which no file is there tells nothing and does not fail", () => {
    const samples = tell(section, {});
    samples.delete("node_time_seconds");
    expect(samples.size).toBe(0);
  });

  test("bounds what it tells of a flood", () => {
    const [path = ""] = section.files;
    const flood = Array.from({ length: 5000 }, (_, i) => `x${i}: ${i} kB\noom_kill_${i} 1\n`).join("");
    let told = 0;
    try {
      told = tell(section, { [path]: `Inter-| \n face\n${flood}` }).size;
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "invalid" });
    }
    expect(told).toBeLessThan(2000);
  });
});
