import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import type { ToldFacts } from "#port/collector.ts";
import { fixtureBytes, systems, tellBytes } from "./fixture.scene.ts";

interface Expected {
  readonly facts?: Partial<ToldFacts>;
  readonly failures?: readonly string[];
  /** Samples of its last tick. */
  readonly samples: Readonly<Record<string, number>>;
  /** Beginnings of series that are not told. */
  readonly without?: readonly string[];
}

const root = (device: string, fstype: string, mountpoint = "/") =>
  `device=${JSON.stringify(device)},fstype=${JSON.stringify(fstype)},mountpoint=${JSON.stringify(mountpoint)}`;
const huge = 2 ** 64;

/** What each recorded system comes to: what is odd about it, and a little of the rest. */
const expected: Readonly<Record<string, Expected>> = {
  "debian-12": {
    facts: { hostname: "debian-box", os: "Debian GNU/Linux 12 (bookworm)", architecture: "x64", cores: 2 },
    samples: { node_load1: 4.6, [`node_filesystem_readonly{${root("/dev/vda", "ext4")}}`]: 0 },
  },
  "busybox-chroot": {
    facts: { hostname: "lonely-box", os: "Linux", cores: 2, virtualization: "vm" },
    samples: { 'node_network_up{device="eth0"}': 1, 'node_network_up{device="ifb0"}': 0 },
    without: ["node_filesystem"],
  },
  "podman-busybox": {
    facts: { hostname: "cont-1", virtualization: "podman" },
    samples: { [`node_filesystem_files{${root("/dev/vda", "ext4", "/etc/hosts")}}`]: 16777216 },
  },
  "centos-6": {
    facts: { os: "CentOS release 6.10 (Final)", kernel: "2.6.32-754.35.1.el6.x86_64", bootedMs: 1_767_225_600_000 },
    samples: {
      'node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"}': 41,
      'node_disk_io_now{device="sda"}': 2,
      'node_cpu_seconds_total{cpu="1",mode="idle"}': 910,
      'node_network_speed_bytes{device="eth0"}': 125e6,
      node_filefd_maximum: 188_230,
    },
    without: ["node_memory_MemAvailable", "node_pressure", "node_vmstat_oom", "node_disk_discard", "node_os_info"],
  },
  "centos-7": {
    facts: { hardware: "Dell Inc. PowerEdge T20", os: "CentOS Linux 7 (Core)" },
    samples: {
      'node_network_receive_bytes_total{device="em1"}': huge,
      [`node_filesystem_avail_bytes{${root("192.168.1.9:/volume1/media", "nfs4", "/srv/media")}}`]: 3211000 * 2 ** 20,
      'node_network_mtu_bytes{device="em1"}': 9000,
    },
    without: [
      'node_network_receive_bytes_total{device="veth',
      'node_network_speed_bytes{device="em2"',
      'node_disk_io_now{device="loop',
    ],
  },
  "raspberry-pi-4": {
    facts: { hardware: "Raspberry Pi 4 Model B Rev 1.4", cpu: "Cortex-A72", architecture: "arm64" },
    samples: {
      'node_thermal_zone_temp{type="cpu-thermal",zone="0"}': 52.095,
      'node_hwmon_temp_celsius{chip="cpu_thermal",sensor="temp1"}': 52.095,
      [`node_filesystem_size_bytes{${root("/dev/sda1", "fuseblk", '/media/pi/My Book \\ "Über"')}}`]: 488378000 * 4096,
      node_time_seconds: 1_795_271_625.825,
    },
    without: ["node_pressure", 'node_disk_io_now{device="ram0'],
  },
  "raspberry-pi-zero": {
    facts: { architecture: "arm", cores: 1, cpu: "ARMv6-compatible processor rev 7 (v6l)" },
    samples: { [`node_filesystem_readonly{${root("/dev/root", "ext4")}}`]: 1, node_time_seconds: 1_795_271_618.5 },
    without: ["node_pressure"],
  },
  openwrt: {
    facts: { os: "OpenWrt 23.05.5", architecture: "mips", cpu: "MIPS 1004Kc V2.15", swapBytes: 0 },
    samples: {
      [`node_filesystem_free_bytes{${root("/dev/ubi0_1", "ubifs", "/overlay")}}`]: (90304 - 3212) * 1024,
      [`node_filesystem_avail_bytes{${root("/dev/ubi0_1", "ubifs", "/overlay")}}`]: 82380 * 1024,
      'node_network_transmit_bytes_total{device="pppoe-wan"}': 77,
    },
    without: ["node_filesystem_files", "node_disk"],
  },
  "synology-dsm-7": {
    facts: { os: "DSM 7.2.2-72806", hardware: "Synology Inc. DS220+" },
    samples: { node_load1: 1.2, 'node_hwmon_temp_max_celsius{chip="platform_coretemp_0",sensor="temp2"}': 105 },
    without: ["node_os_info", 'node_disk_io_now{device="zram0'],
  },
  "alpine-3.20": {
    facts: { os: "Alpine Linux v3.20", virtualization: "kvm" },
    samples: { node_pressure_cpu_waiting_seconds_total: 61.234567, 'node_network_up{device="eth0"}': 1 },
    without: ["node_network_speed_bytes"],
  },
  "proxmox-8": {
    facts: { cores: 12, hardware: "ASRock B550M Pro4" },
    samples: {
      'node_hwmon_temp_celsius{chip="pci0000:00_0000:00:18_3",sensor="temp3"}': 46,
      'node_hwmon_sensor_label{chip="nvme_nvme0",label="Composite",sensor="temp1"}': 1,
      [`node_filesystem_size_bytes{${root("rpool/ROOT/pve-1", "zfs")}}`]: 13000000 * 131072,
      'node_network_receive_bytes_total{device="tap100i0"}': 811,
    },
    without: [
      'node_hwmon_temp_celsius{chip="nvme_nvme1"',
      'node_network_receive_bytes_total{device="fwbr',
      'node_disk_io_now{device="nvme0n1p1',
    ],
  },
  "lxc-no-cpus": {
    facts: { cores: 1, virtualization: "lxc", swapBytes: 0, bootedMs: 1_795_271_555_000 },
    samples: { 'node_cpu_seconds_total{cpu="0",mode="user"}': 51.23, node_memory_SwapTotal_bytes: 0 },
    without: ["node_disk", "node_vmstat", "node_filefd"],
  },
  "epyc-huge": {
    facts: { cores: 6, memoryBytes: 1056764928 * 1024, os: "Rocky Linux 9.4 (Blue Onyx)" },
    samples: {
      'node_cpu_seconds_total{cpu="255",mode="idle"}': huge / 100,
      'node_disk_written_bytes_total{device="nvme10n2"}': huge * 512,
      'node_network_receive_drop_total{device="bond0"}': huge,
      [`node_filesystem_size_bytes{${root("tank", "zfs", "/tank")}}`]: 2 ** 53,
      node_intr_total: huge,
    },
    without: ['node_cpu_seconds_total{cpu="3"'],
  },
  "arch-odd-names": {
    facts: { hostname: "ann's <b>laptop</b>", os: "Arch Linux" },
    failures: ["filesystem: /mnt/文書<script> (cifs) does not answer"],
    samples: {
      [`node_filesystem_device_error{${root("//nas/Bücher", "cifs", "/mnt/文書<script>")}}`]: 1,
      [`node_filesystem_avail_bytes{${root("/dev/sdb1", "exfat", `/run/media/ann/it's "quoted" \\o/`)}}`]:
        600000 * 131072,
      [`node_filesystem_device_error{${root("/dev/sdb2", "ext4", "/mnt/a\nb\tc#d")}}`]: 0,
      'node_network_receive_bytes_total{device="ü\\"\'`$(x)"}': 2,
      'node_network_receive_bytes_total{device="vpn-家"}': 3,
    },
    without: ['node_hwmon_temp_celsius{chip="lnx'],
  },
  "riscv-localised": {
    facts: { architecture: "riscv64", hardware: "StarFive VisionFive 2 v1.3B", cores: 4 },
    samples: {
      [`node_filesystem_avail_bytes{${root("/dev/mmcblk1p3", "ext4")}}`]: 20133384 * 1024,
      'node_cpu_seconds_total{cpu="3",mode="softirq"}': 8,
      node_time_seconds: 31,
    },
    without: ['node_cpu_seconds_total{cpu="3",mode="steal"', "node_disk_flush"],
  },
  "hidden-proc": {
    failures: [
      "cpu: /proc/stat tells nothing of CPUs",
      "facts: it does not tell its name and its memory: /proc is missing or hidden",
    ],
    samples: { node_time_seconds: 1_795_271_615.1 },
    without: ["node_load", "node_memory"],
  },
};

test("of every system that was recorded something is expected", () => {
  expect(Object.keys(expected).sort()).toEqual([...systems()].sort());
  expect(systems().length).toBeGreaterThanOrEqual(12);
});

describe.each(Object.entries(expected))("%s", (name, { facts, failures = [], samples, without = [] }) => {
  const told = tellBytes(fixtureBytes(name));
  const last = told.at(-1);
  if (last === undefined) throw new Error("no tick was recorded");

  test("says what it is", () => {
    if (facts === undefined) expect(last.reading.facts).toBeUndefined();
    else expect(last.reading.facts).toMatchObject(facts);
    expect(last.reading.failures.map(({ section, reason }) => `${section}: ${reason}`)).toEqual(failures);
  });

  test("tells its figures", () => {
    for (const [series, value] of Object.entries(samples)) expect(last.samples.get(series), series).toBe(value);
    for (const begin of without) expect([...last.samples.keys()].filter((key) => key.startsWith(begin))).toEqual([]);
  });

  test("damaged in any way it comes to samples, to failures or to a Fault", () => {
    const bytes = fixtureBytes(name);
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      without: fc.nat(200),
      put: fc.oneof(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.constantFrom("\n", "-", " 1e999 ", "\u001b[2J", "==> / <==\n"),
      ),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 12 }), (all) => {
        let broken = bytes;
        for (const { at, without, put } of all) {
          const place = Math.floor(at * broken.length);
          broken = Buffer.concat([broken.subarray(0, place), Buffer.from(put), broken.subarray(place + without)]);
        }
        try {
          for (const tick of tellBytes(broken)) {
            for (const value of tick.samples.values()) expect(Number.isFinite(value)).toBe(true);
            for (const { reason } of tick.reading.failures) expect(reason).not.toMatch(/fed failed(?!.*told twice)/);
          }
        } catch (thrown) {
          if (!isFault(thrown) || thrown.code !== "invalid") throw thrown;
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("a counter goes on from tick to tick", () => {
  const [first, second] = tellBytes(fixtureBytes("raspberry-pi-4"));
  const series = 'node_cpu_seconds_total{cpu="0",mode="user"}';
  expect((second?.samples.get(series) ?? 0) - (first?.samples.get(series) ?? 0)).toBeCloseTo(10, 6);
  expect((second?.machineMs ?? 0) - (first?.machineMs ?? 0)).toBe(10_000);
});
