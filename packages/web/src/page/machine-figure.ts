import type { Figure } from "./board.ts";
import type { Line } from "./metrics-answer.ts";
import type { Unit } from "./metrics-unit.ts";

/** What the charts of a machine show, in PromQL over the names of node_exporter, cAdvisor and dcgm-exporter. Pure. */

export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly stacked: boolean;
  /** Values that are always in sight, so that little looks like little. */
  readonly always: readonly [least: number, greatest: number];
  /** Not every machine has it: it takes its place only once there is something to show. */
  readonly optional: boolean;
  /** What a line is called, by its labels. */
  nameOf(labels: Line["labels"]): string;
  /** `rate` of a counter, over steps or just now. */
  query(machine: Machine): string;
}

export interface Machine {
  /** Matchers, without braces, to go on with a comma. */
  readonly is: string;
  rate(selector: string): string;
}

const ratio: Unit = { kind: "ratio", perSecond: false };
const bytes: Unit = { kind: "bytes", perSecond: false };
const bytesPerSecond: Unit = { kind: "bytes", perSecond: true };
const plain: Unit = { kind: "number", perSecond: false };

/** Interfaces that repeat what goes over others. */
export const innerDevices = "lo|veth.*|br-.*|docker.*|cni.*|flannel.*|cali.*|virbr.*|vnet.*|tap.*|fwbr.*|fwpr.*|fwln.*";
/** What keeps nothing, or what is a view of something else. */
export const innerFilesystems = "tmpfs|devtmpfs|ramfs|overlay|squashfs|iso9660|efivarfs|fuse.snapfuse";

const called = (name: string, query: string) => `label_replace(${query}, "line", "${name}", "", "")`;
const either = (...queries: readonly string[]) => queries.join(" or ");
const lineName = ({ line = "" }: Line["labels"]) => line;

/** A machine that is scraped besides tells some things twice: `max by` takes them as one. */
export const charts: readonly Chart[] = [
  {
    ...{
      id: "cpu",
      title: "CPU",
      unit: ratio,
      always: [0, 1],
      stacked: true,
      optional: false,
      nameOf: ({ mode = "" }) => mode,
    },
    query: ({ is, rate }) => `avg by (mode) (${rate(`node_cpu_seconds_total{${is},mode!="idle"}`)})`,
  },
  {
    ...{
      id: "memory",
      title: "Memory",
      unit: bytes,
      always: [0, 2 ** 20],
      stacked: false,
      optional: false,
      nameOf: lineName,
    },
    query({ is }) {
      const of = (name: string) => `max(node_memory_${name}_bytes{${is}})`;
      const free = `(${of("MemAvailable")} or ${of("MemFree")} + ${of("Buffers")} + ${of("Cached")})`;
      return either(
        called("used", `(${of("MemTotal")} - ${free})`),
        called("cache and buffers", `(${of("Buffers")} + ${of("Cached")})`),
        called("swap used", `(${of("SwapTotal")} - ${of("SwapFree")} > 0)`),
      );
    },
  },
  {
    ...{ id: "load", title: "Load", unit: plain, always: [0, 1], stacked: false, optional: false, nameOf: lineName },
    query: ({ is }) =>
      either(
        called("over 1 min", `max(node_load1{${is}})`),
        called("over 5 min", `max(node_load5{${is}})`),
        called("over 15 min", `max(node_load15{${is}})`),
      ),
  },
  {
    ...{
      id: "network",
      title: "Network",
      unit: bytesPerSecond,
      always: [0, 1_024],
      stacked: false,
      optional: false,
      nameOf: lineName,
    },
    query({ is, rate }) {
      const by = (way: string, metric: string) => {
        const sum = `max by (device) (${rate(`${metric}{${is},device!~"${innerDevices}"}`)})`;
        return `label_replace(${sum}, "line", "$1 ${way}", "device", "(.*)")`;
      };
      return either(by("in", "node_network_receive_bytes_total"), by("out", "node_network_transmit_bytes_total"));
    },
  },
  {
    ...{ id: "filesystem", title: "Filesystems, used", unit: ratio, always: [0, 1], stacked: false, optional: false },
    nameOf: ({ mountpoint = "" }) => mountpoint,
    query({ is }) {
      const of = (what: string) => `node_filesystem_${what}_bytes{${is},fstype!~"${innerFilesystems}"}`;
      return `max by (mountpoint) (1 - ${of("avail")} / (${of("size")} > 0))`;
    },
  },
  {
    ...{
      id: "disk",
      title: "Disk",
      unit: bytesPerSecond,
      always: [0, 1_024],
      stacked: false,
      optional: false,
      nameOf: lineName,
    },
    query({ is, rate }) {
      const by = (way: string, metric: string) => {
        const sum = `max by (device) (${rate(`${metric}{${is},device!~"loop.*|ram.*|dm-.*|md.*|zram.*"}`)})`;
        return `label_replace(${sum}, "line", "$1 ${way}", "device", "(.*)")`;
      };
      return either(by("read", "node_disk_read_bytes_total"), by("written", "node_disk_written_bytes_total"));
    },
  },
  {
    ...{
      id: "pressure",
      title: "Pressure: time that work waited",
      unit: ratio,
      always: [0, 0.1],
      stacked: false,
      optional: true,
    },
    nameOf: lineName,
    query({ is, rate }) {
      const of = (name: string, metric: string) => called(name, `max(${rate(`node_pressure_${metric}{${is}}`)})`);
      return either(
        of("for the CPU", "cpu_waiting_seconds_total"),
        of("for memory", "memory_waiting_seconds_total"),
        of("for disks", "io_waiting_seconds_total"),
      );
    },
  },
  {
    ...{ id: "temperature", title: "Temperature", always: [30, 60], stacked: false, optional: true },
    unit: { kind: "celsius", perSecond: false },
    nameOf: ({ chip, sensor, type, zone }) => [chip ?? type, sensor ?? zone].filter(Boolean).join(" "),
    query: ({ is }) =>
      either(
        `max by (chip, sensor) (node_hwmon_temp_celsius{${is}})`,
        `max by (type, zone) (node_thermal_zone_temp{${is}})`,
      ),
  },
  {
    ...{
      id: "container-cpu",
      title: "Containers: cores in use",
      unit: plain,
      always: [0, 0.1],
      stacked: true,
      optional: true,
    },
    nameOf: ({ name = "" }) => name,
    query: ({ is, rate }) => `max by (name) (${rate(`container_cpu_usage_seconds_total{${is},name!=""}`)})`,
  },
  {
    ...{
      id: "container-memory",
      title: "Containers: memory",
      unit: bytes,
      always: [0, 2 ** 20],
      stacked: true,
      optional: true,
    },
    nameOf: ({ name = "" }) => name,
    query: ({ is }) => `max by (name) (container_memory_working_set_bytes{${is},name!=""})`,
  },
  {
    ...{ id: "gpu", title: "GPU", always: [0, 100], stacked: false, optional: true },
    unit: { kind: "percent", perSecond: false },
    nameOf: ({ gpu = "", modelName = "" }) => `${gpu} ${modelName}`.trim(),
    query: ({ is }) => `max by (gpu, modelName) (DCGM_FI_DEV_GPU_UTIL{${is}})`,
  },
];

interface Pace {
  readonly stepMs: number;
  /** Between two ticks of the machine, as long as nobody watches it. */
  readonly intervalMs: number;
}

const seconds = (ms: number) => `${Math.ceil(ms / 1_000)}s`;

/** Over steps every sample counts; now, the last two. */
export function ratesOf({ stepMs, intervalMs }: Pace) {
  const window = seconds(Math.max(stepMs + intervalMs, 4 * intervalMs));
  const short = seconds(Math.max(60_000, 3 * intervalMs));
  return {
    steps: (selector: string) => `rate(${selector}[${window}])`,
    now: (selector: string) => `irate(${selector}[${short}])`,
  };
}

export function figuresOf(machine: string, pace: Pace): readonly Figure[] {
  const is = `machine=${JSON.stringify(machine)}`;
  const rates = ratesOf(pace);
  return charts.map(({ id, query }) => {
    return { id, steps: query({ is, rate: rates.steps }), now: query({ is, rate: rates.now }) };
  });
}
