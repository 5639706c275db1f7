import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { writeFiles } from "./files.ts";
import { gpuSection } from "./gpu.ts";
import { poolSection } from "./pool.ts";
import { raidSection, readMdstat } from "./raid.ts";
import { readFixture, say, shells, tellOne } from "./section.scene.ts";
import { smartSection } from "./smart.ts";

const mdstat = (text: string) => writeFiles(new Map([["/proc/mdstat", text]]));

test("tells how arrays of mdraid are", () => {
  const { storage } = tellOne(raidSection.open(), mdstat(readFixture("mdstat")));
  expect(storage?.map(({ kind, name, health, detail }) => [kind, name, health, detail])).toEqual([
    ["array", "md0", "good", "raid1, 2 of 2 disks"],
    ["array", "md1", "bad", "raid5, 2 of 3 disks, 1 failed"],
    ["array", "md2", "warning", "raid6, 4 of 5 disks, recovery 12.6 %"],
    ["array", "md3", "bad", "does not run"],
    ["array", "md4", "good", "raid1, 1 of 1 disks"],
    ["array", "md127", "good", "raid1, 2 of 2 disks"],
    ["array", "md_d5", "good", "raid0"],
    ["array", "md6", "good", "raid10, 4 of 4 disks, check 50.4 %"],
  ]);
});

test("tells arrays and pools by node_exporter's names", () => {
  const files = new Map([
    ["/proc/mdstat", readFixture("mdstat")],
    ["/proc/spl/kstat/zfs/tank/state", "DEGRADED\n"],
  ]);
  const { samples } = tellOne(raidSection.open(), writeFiles(files));
  expect(samples.get('node_md_state{device="md2",state="recovering"}')).toBe(1);
  expect(samples.get('node_md_state{device="md2",state="active"}')).toBe(0);
  expect(samples.get('node_md_state{device="md6",state="check"}')).toBe(1);
  expect(samples.get('node_md_disks{device="md1",state="failed"}')).toBe(1);
  expect(samples.get('node_md_disks{device="md4",state="spare"}')).toBe(1);
  expect(samples.get('node_md_disks_required{device="md1"}')).toBe(3);
  expect(samples.get('node_md_blocks_synced{device="md2"}')).toBe(246_126_592);
  expect(samples.get('node_zfs_zpool_state{state="degraded",zpool="tank"}')).toBe(1);
  expect(samples.get('node_zfs_zpool_state{state="online",zpool="tank"}')).toBe(0);
});

test("reads back whatever arrays md.c writes", () => {
  const array = fc
    .record({ number: fc.nat(999), disks: fc.integer({ min: 1, max: 20 }), missing: fc.nat(20), blocks: fc.nat() })
    .map((made) => ({ ...made, missing: Math.min(made.missing, made.disks) }));
  fc.assert(
    fc.property(fc.uniqueArray(array, { selector: ({ number }) => number }), (arrays) => {
      const text = arrays.map(({ number, disks, missing, blocks }) => {
        const members = Array.from({ length: disks }, (_, i) => ` sd${i}[${i}]${i < missing ? "(F)" : ""}`).join("");
        return `md${number} : active raid1${members}\n      ${blocks} blocks super 1.2 [${disks}/${disks - missing}] [U]\n\n`;
      });
      const told = readMdstat(`Personalities : [raid1]\n${text.join("")}unused devices: <none>\n`);
      expect(
        told.map(({ device, required, present, failed, blocks }) => ({ device, required, present, failed, blocks })),
      ).toEqual(
        arrays.map(({ number, disks, missing, blocks }) => ({
          device: `md${number}`,
          required: disks,
          present: disks - missing,
          failed: missing,
          blocks,
        })),
      );
    }),
  );
});

test("tells how pools of ZFS are, and what is wrong in a sentence", () => {
  const { storage } = tellOne(poolSection.open(), readFixture("pool"));
  expect(storage?.map(({ name, health, detail }) => [name, health, detail])).toEqual([
    ["tank", "warning", "online, 70 % full, One or more devices has experienced an unrecoverable error"],
    [
      "backup pool",
      "bad",
      "is DEGRADED, 10 % full, One or more devices could not be used because the label is missing or invalid",
    ],
    ["rpool", "good", "online, 10 % full"],
    ["old", "good", "online, 0 % full"],
    ["lost", "bad", "is UNAVAIL"],
  ]);
  expect(() => tellOne(poolSection.open(), "", { code: 137 })).toThrow("zpool did not answer within 4 s");
  expect(tellOne(poolSection.open(), "").storage).toBeUndefined();
});

test("tells what disks say of themselves, and of one that sleeps what it said before", () => {
  const text = readFixture("smart");
  const read = smartSection.open();
  const { storage, samples } = tellOne(read, text);
  expect(storage?.map(({ name, health, detail }) => [name, health, detail])).toEqual([
    ["sda", "warning", "8 sectors wait to be replaced, WDC WD40EFRX-68N32N0, 31 °C"],
    [
      "sdb",
      "bad",
      "says that it fails, 65528 sectors were replaced, 404 errors were not mended, ST3000DM001-1CH166, 38 °C",
    ],
    ["nvme0", "good", "Samsung SSD 980 PRO 1TB, 41 °C, 5 % worn"],
    ["sdd", "unknown", "SanDisk Ultra"],
  ]);
  expect(samples.get('smartctl_device_temperature{device="sda",temperature_type="current"}')).toBe(31);
  expect(samples.get('smartctl_device_smart_status{device="sdb"}')).toBe(0);
  expect(samples.get('smartctl_device_percentage_used{device="nvme0"}')).toBe(5);
  expect(samples.get('smartctl_device_power_on_seconds{device="sda"}')).toBe(36_195 * 3_600);
  const sleeping = '{"smartctl":{"messages":[{"string":"Device is in STANDBY mode, exit(2)"}],"exit_status":2}}';
  const later = tellOne(read, `disk /dev/sda\n${sleeping}\n\ndisk /dev/sdb\n\n`);
  expect(later.storage?.map(({ name, health }) => [name, health])).toEqual([
    ["sda", "warning"],
    ["sdb", "bad"],
  ]);
  expect(later.samples.get('smartctl_device_temperature{device="sda",temperature_type="current"}')).toBe(31);
});

test("tells NVIDIA's GPUs by DCGM's names, without what they cannot tell", () => {
  const { samples } = tellOne(gpuSection.open(), readFixture("gpu"));
  const first =
    'UUID="GPU-3c5a7e1f-0d9c-4c7e-a9d1-2f5a1c0e8b77",device="nvidia0",gpu="0",modelName="NVIDIA GeForce RTX 3090"';
  expect(samples.get(`DCGM_FI_DEV_GPU_UTIL{${first}}`)).toBe(97);
  expect(samples.get(`DCGM_FI_DEV_POWER_USAGE{${first}}`)).toBe(348.21);
  expect(samples.get(`DCGM_FI_DEV_DEC_UTIL{${first}}`)).toBe(12);
  const second = [...samples.keys()].filter((key) => key.includes("K620")).map((key) => key.replace(/\{.*/, ""));
  expect(second).toEqual([
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_SM_CLOCK",
    "DCGM_FI_DEV_MEM_CLOCK",
  ]);
});

test.each([
  [9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "NVIDIA's driver is not loaded"],
  [137, "", "nvidia-smi did not answer within 4 s"],
  [6, "No devices were found\n", "nvidia-smi failed: No devices were found"],
])("says why a GPU is not told: code %d", (code, text, reason) => {
  expect(() => tellOne(gpuSection.open(), text, { code })).toThrow(reason);
});

describe.each([raidSection, poolSection, smartSection, gpuSection])("$name", (section) => {
  test("whatever it hears, it throws nothing but a Fault and tells a bounded lot", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json({ maxDepth: 3 }),
      fc.constantFrom(
        ...[
          "==> /proc/mdstat <==",
          "md0 : active raid1 a[0]",
          "      5 blocks [2/1]",
          "md1 : inactive",
          "disk /dev/sda",
          "status",
          "  pool: a",
        ],
        ...[
          "a\tONLINE\t0\t0",
          "==> /proc/spl/kstat/zfs/a/state <==",
          "0, GPU-a, b, 1, 2, 3",
          '{"model_name":"x","temperature":{"current":1}}',
        ],
      ),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.array(line).map((lines) => lines.join("\n")),
          { maxLength: 4 },
        ),
        fc.boolean(),
        (texts, cut) => {
          const read = section.open();
          for (const text of texts) {
            try {
              const { storage = [] } = tellOne(read, text, { cut });
              for (const { detail } of storage) expect(detail.length).toBeLessThan(2_000);
            } catch (thrown) {
              if (!isFault(thrown)) throw thrown;
            }
          }
        },
      ),
    );
  });
});

describe.each(shells)("$name", ({ shell }) => {
  test("asks smartctl of each disk it finds, and never wakes one", () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-smart-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const script = `#!/bin/sh
[ "$1" = --scan ] && { echo '/dev/sda -d sat # /dev/sda [SAT], ATA device'; echo '/dev/bus/0 -d megaraid,4 # x'; echo '/dev/bus/0 -d megaraid,5 # x'; exit; }
[ "$1 $2" = '-n standby' ] || exit 1
printf '{"model_name":"%s","smart_status":{"passed":true}}' "$8"
`;
    writeFileSync(join(folder, "smartctl"), script, { mode: 0o755 });
    writeFileSync(join(folder, "id"), "#!/bin/sh\necho 0\n", { mode: 0o755 });
    const [text = ""] = say(smartSection, { shell, environment: { PATH: `${folder}:/usr/bin:/bin` } });
    expect(tellOne(smartSection.open(), text).storage?.map(({ name, detail }) => [name, detail])).toEqual([
      ["sda", "sat"],
      // Both are /dev/bus/0 to the kernel.
      ["bus/0_megaraid,4", "megaraid,4"],
      ["bus/0_megaraid,5", "megaraid,5"],
    ]);
  });

  test("asks an old nvidia-smi for less", () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-gpu-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const script = `#!/bin/sh
case $1 in *encoder*) echo 'Field "utilization.encoder" is not a valid field to query.'; exit 2 ;; esac
echo '0, GPU-a, Tesla, 5, 1, 10, 20, 30, 40.5, 50, 60'
`;
    writeFileSync(join(folder, "nvidia-smi"), script, { mode: 0o755 });
    const [text = ""] = say(gpuSection, { shell, environment: { PATH: `${folder}:/usr/bin:/bin` } });
    const { samples } = tellOne(gpuSection.open(), text);
    expect(samples.size).toBe(8);
  });
});
