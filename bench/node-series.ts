/** Series like those of a node_exporter on a small server, the same for the same seed: for benches of the store. */

export interface MadeSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** Numbers in [0, 1), the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Next = (step: number) => number;

/** Times of scrapes, mostly on the grid, as Prometheus puts them. */
export function scrapeTimes(startMs: number, stepMs: number, count: number, seed = 1): Float64Array<ArrayBuffer> {
  const random = randomOf(seed);
  return Float64Array.from(
    { length: count },
    (_, i) => startMs + i * stepMs + (random() < 0.05 ? Math.floor(random() * 40) : 0),
  );
}

export function nodeSeries(stepS: number, samples: number, seriesCount = 500, seed = 7): MadeSeries[] {
  const random = randomOf(seed);
  const normal = () => random() + random() + random() + random() - 2;
  /** How busy the machine is: 0 to 1, slow waves and jitter. */
  const busy = Float64Array.from({ length: samples }, (_, i) =>
    Math.min(
      1,
      Math.max(0.01, 0.15 + 0.1 * Math.sin((i * stepS) / 13_751) + 0.08 * normal() + (random() < 0.02 ? 0.5 : 0)),
    ),
  );
  const made: MadeSeries[] = [];
  const add = (name: string, labels: Record<string, string>, next: Next) => {
    if (made.length >= seriesCount) return;
    const all = { __name__: name, instance: "node5:9100", job: "node", ...labels };
    made.push({ labels: all, values: Float64Array.from({ length: samples }, (_, i) => next(i)) });
  };
  const constant =
    (value: number): Next =>
    () =>
      value;
  const counter = (perS: number, digits = 0, share = 1): Next => {
    const unit = 10 ** digits;
    let total = Math.floor(random() * 1e9 * Math.min(1, perS)) / unit;
    return (i) => {
      if (random() < share) total += Math.max(0, perS * stepS * (busy[i] as number) * (1 + 0.5 * normal()) * 5);
      return Math.round(total * unit) / unit;
    };
  };
  const gauge = (around: number, spread: number, unit: number, share = 1): Next => {
    let value = around;
    return () => {
      if (random() < share) value += (around - value) * 0.02 + normal() * spread;
      return unit < 1 ? Math.round(value / unit) / Math.round(1 / unit) : Math.round(value / unit) * unit;
    };
  };
  const modes = { idle: 0.9, user: 0.06, system: 0.03, iowait: 0.002, softirq: 0.002, irq: 0, nice: 0, steal: 0 };
  for (let cpu = 0; cpu < 4; cpu++) {
    for (const [mode, part] of Object.entries(modes)) {
      let ticks = Math.floor(random() * 1e7 * part);
      add("node_cpu_seconds_total", { cpu: `${cpu}`, mode }, (i) => {
        const share = mode === "idle" ? 1 - (busy[i] as number) : (busy[i] as number) * part * 8;
        if (part > 0) ticks += Math.max(0, Math.round(stepS * 100 * share * (1 + 0.05 * normal())));
        return ticks / 100;
      });
    }
    for (const mode of ["user", "nice"]) add("node_cpu_guest_seconds_total", { cpu: `${cpu}`, mode }, constant(0));
    for (const what of ["processed", "dropped", "times_squeezed"]) {
      add(`node_softnet_${what}_total`, { cpu: `${cpu}` }, what === "processed" ? counter(50) : constant(0));
    }
    add("node_schedstat_running_seconds_total", { cpu: `${cpu}` }, counter(0.3, 9));
    add("node_schedstat_waiting_seconds_total", { cpu: `${cpu}` }, counter(0.05, 9));
    add("node_schedstat_timeslices_total", { cpu: `${cpu}` }, counter(300));
    add("node_cpu_scaling_frequency_max_hertz", { cpu: `${cpu}` }, constant(3.4e9));
  }
  const moving = [
    "MemFree",
    "MemAvailable",
    "Cached",
    "Buffers",
    "Active",
    "Inactive",
    "AnonPages",
    "Dirty",
    "Slab",
    "Mapped",
    "Shmem",
  ];
  for (const name of moving) add(`node_memory_${name}_bytes`, {}, gauge(2e9 * random(), 4e6, 4096));
  for (let i = 0; i < 14; i++) add(`node_memory_Slow${i}_bytes`, {}, gauge(3e8 * random(), 1e5, 4096, 0.05));
  for (let i = 0; i < 25; i++) add(`node_memory_Fixed${i}_bytes`, {}, constant(Math.floor(random() * 1e6) * 4096));
  for (const device of ["nvme0n1", "sda"]) {
    for (const what of ["reads_completed", "writes_completed", "read_bytes", "written_bytes", "writes_merged"]) {
      const unit = what.endsWith("bytes") ? 4096 : 1;
      const count = counter(device === "sda" ? 0.02 : 4, 0, device === "sda" ? 0.05 : 0.7);
      add(`node_disk_${what}_total`, { device }, (i) => count(i) * unit);
    }
    for (const what of ["read_time", "write_time", "io_time", "io_time_weighted"]) {
      add(`node_disk_${what}_seconds_total`, { device }, counter(0.01, 3, device === "sda" ? 0.05 : 0.7));
    }
    for (let i = 0; i < 8; i++) add(`node_disk_other${i}`, { device }, constant(i));
  }
  for (const device of ["eth0", "lo", "docker0", "wlan0"]) {
    for (const way of ["receive", "transmit"]) {
      const live = device === "eth0" || device === "lo";
      add(`node_network_${way}_bytes_total`, { device }, live ? counter(20_000) : constant(0));
      add(`node_network_${way}_packets_total`, { device }, live ? counter(40) : constant(0));
      for (const what of ["errs", "drop", "fifo", "frame", "compressed", "multicast"]) {
        add(`node_network_${way}_${what}_total`, { device }, constant(what === "drop" ? 112 : 0));
      }
    }
    for (const what of ["mtu_bytes", "up", "carrier", "flags", "speed_bytes", "iface_id", "dormant"]) {
      add(`node_network_${what}`, { device }, constant(Math.floor(random() * 1500)));
    }
  }
  for (const mountpoint of ["/", "/boot", "/var", "/data", "/tmp"]) {
    const labels = { device: `/dev/${mountpoint.length}`, fstype: "ext4", mountpoint };
    add("node_filesystem_avail_bytes", labels, gauge(5e10, 1e5, 4096, mountpoint === "/boot" ? 0 : 0.5));
    add("node_filesystem_free_bytes", labels, gauge(5.1e10, 1e5, 4096, mountpoint === "/boot" ? 0 : 0.5));
    add("node_filesystem_files_free", labels, gauge(3e6, 20, 1, 0.2));
    for (const what of ["size_bytes", "files", "readonly", "device_error"])
      add(`node_filesystem_${what}`, labels, constant(what.length * 4096));
  }
  for (const [load, spread] of [
    ["1", 0.08],
    ["5", 0.02],
    ["15", 0.01],
  ] as const)
    add(`node_load${load}`, {}, gauge(0.6, spread, 0.01));
  add("node_context_switches_total", {}, counter(2500));
  add("node_intr_total", {}, counter(1200));
  add("node_forks_total", {}, counter(3));
  add("node_procs_running", {}, () => 1 + Math.floor(random() * 3));
  add("node_entropy_available_bits", {}, constant(256));
  add("node_boot_time_seconds", {}, constant(1_763_000_000));
  add("node_time_seconds", {}, (i) => 1_763_700_000 + i * stepS + random() * 0.004);
  for (let i = 0; i < 12; i++) add(`node_vmstat_v${i}`, {}, i < 8 ? counter(2 ** i, 0, 0.8) : constant(i));
  for (let i = 0; i < 48; i++)
    add(`node_netstat_n${i}`, {}, i < 14 ? counter(0.2 * 2 ** (i / 2), 0, 0.6) : constant(i * 7));
  for (let i = 0; i < 14; i++) add(`node_sockstat_s${i}`, {}, i < 7 ? gauge(40, 1, 1, 0.3) : constant(i));
  for (let i = 0; i < 16; i++) add(`node_timex_t${i}`, {}, i < 4 ? gauge(0, 1e-5, 1e-9) : constant(i));
  for (let i = 0; i < 8; i++)
    add("node_hwmon_temp_celsius", { sensor: `temp${i}` }, gauge(45, 0.5, i < 4 ? 1 : 0.125, 0.3));
  for (let i = 0; i < 24; i++) add("node_hwmon_limit", { sensor: `temp${i}` }, constant(i));
  const collectors = Array.from({ length: 42 }, (_, i) => `collector${i}`);
  for (const collector of collectors) {
    const base = 1e-5 * 10 ** (3 * random());
    add(
      "node_scrape_collector_duration_seconds",
      { collector },
      () => Math.round(base * (1 + 0.3 * Math.abs(normal())) * 1e9) / 1e9,
    );
    add("node_scrape_collector_success", { collector }, constant(1));
  }
  for (let i = 0; i < 12; i++) add(`go_memstats_g${i}`, {}, gauge(3e6, 2e5, 8));
  for (let i = 0; i < 14; i++) add(`go_memstats_f${i}`, {}, constant(i * 1024));
  for (let i = 0; i < 6; i++) add(`process_p${i}`, {}, i === 0 ? counter(0.02, 2) : constant(i));
  for (let i = 0; made.length < seriesCount; i++) add("node_uname_info", { nth: `${i}` }, constant(1));
  return made;
}

/** Counters that grow by random cents: hard for XOR. */
export function centSeries(samples: number, seriesCount = 500, seed = 11): MadeSeries[] {
  const random = randomOf(seed);
  return Array.from({ length: seriesCount }, (_, nth) => {
    let cents = 0;
    return {
      labels: { __name__: "shop_revenue_total", instance: "shop:80", job: "shop", shop: `${nth}` },
      values: Float64Array.from({ length: samples }, () => {
        cents += Math.floor(random() * 10_000);
        return cents / 100;
      }),
    };
  });
}
