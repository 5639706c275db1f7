import { Fault } from "#base/fault.ts";
import { readFiles } from "./files.ts";
import { labelled } from "./label.ts";
import type { FileSection } from "./section.ts";
import { countOf, linesOf, wordsOf } from "./word.ts";

/** What node_exporter leaves out: RAM disks, loops, floppies and partitions of whole disks. */
const leftOut = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]{1,3}|nvme\d{1,4}n\d{1,4}p)\d{1,4}$/;

/** More than a machine of people has; of a flood no more is told. */
const most = 200;

const sector = 512;
const ms = 1 / 1000;

/**
 * In the order of the kernel's documentation (admin-guide/iostats): eleven fields since 2.6, discards since 4.18, flushes since 5.5.
 * Each with its factor.
 */
const fields: readonly (readonly [metric: string, factor: number])[] = [
  ["node_disk_reads_completed_total", 1],
  ["node_disk_reads_merged_total", 1],
  ["node_disk_read_bytes_total", sector],
  ["node_disk_read_time_seconds_total", ms],
  ["node_disk_writes_completed_total", 1],
  ["node_disk_writes_merged_total", 1],
  ["node_disk_written_bytes_total", sector],
  ["node_disk_write_time_seconds_total", ms],
  ["node_disk_io_now", 1],
  ["node_disk_io_time_seconds_total", ms],
  ["node_disk_io_time_weighted_seconds_total", ms],
  ["node_disk_discards_completed_total", 1],
  ["node_disk_discards_merged_total", 1],
  ["node_disk_discarded_sectors_total", 1],
  ["node_disk_discard_time_seconds_total", ms],
  ["node_disk_flush_requests_total", 1],
  ["node_disk_flush_requests_time_seconds_total", ms],
];
/** Partitions of kernels before 2.6.25 have four fields, with another meaning. */
const fewestFields = 11;

const labels = labelled("device");

export const diskSection: FileSection = {
  name: "disk",
  everyMs: 0,
  files: ["/proc/diskstats"],
  open() {
    return (text, into) => {
      const stats = readFiles(text).get("/proc/diskstats");
      if (stats === undefined) return;
      let read = 0;
      let told = 0;
      const lines = linesOf(stats);
      for (const line of lines) {
        const [major, minor, device = "", ...values] = wordsOf(line);
        if (countOf(major) === undefined || countOf(minor) === undefined) continue;
        read++;
        if (device === "" || values.length < fewestFields || leftOut.test(device)) continue;
        if (++told > most) return into.problem(`more than ${most} disks, of which ${most} are told`);
        for (const [i, [metric, factor]] of fields.entries()) {
          const value = countOf(values[i]);
          if (value !== undefined) into.sample(metric, value * factor, labels(device));
        }
      }
      if (lines.length > 0 && read === 0) throw new Fault("invalid", "/proc/diskstats has no line that can be read");
    };
  },
};
