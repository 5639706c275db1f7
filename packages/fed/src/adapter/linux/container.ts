import type { ToldContainer } from "#port/collector.ts";
import { type Cgroup, openMeter, readCgroups } from "./container-cgroup.ts";
import { type EngineContainer, openEngines } from "./container-engine.ts";
import { labelledBy } from "./label.ts";
import type { ScriptSection, SectionReader, SectionSink, SectionTick } from "./section.ts";

/**
 * Containers of Docker and Podman. What they use is read from their cgroups (version 1 or 2, made by systemd or by the engine) with
 * each tick, which costs nobody much; the engines, whose commands cost as much as all the rest, are asked every third time, for
 * what changes rarely every twelfth, and at once when a container came or went.
 *
 * What it says: container-cgroup.ts and container-engine.ts.
 */
export const containerSection: ScriptSection = {
  name: "container",
  everyMs: 5_000,
  script: `
    container_b=/sys/fs/cgroup
    [ -e $container_b/memory/memory.usage_in_bytes ] && container_b=$container_b/memory
    container_was=$container_now
    container_now=
    container_u=$container_b/user.slice/user-*.slice/user@*.service
    for container_x in $container_b/docker/[0-9a-f]* $container_b/libpod_parent/libpod-* $container_b/*.slice/docker-*.scope \\
      $container_b/*.slice/libpod-*.scope $container_b/*.slice/*.slice/libpod-*.scope $container_u/*.slice/docker-*.scope \\
      $container_u/*.slice/libpod-*.scope $container_u/*.slice/*.slice/libpod-*.scope
    do
      case $container_x in *libpod-conmon-*) continue ;; esac
      [ -e "$container_x/cgroup.procs" ] && container_now="$container_now $container_x"
    done
    [ "$container_now" ] && awk -v container_b="$container_b" '
      function first(f,  v) { getline v < f; close(f); return v == "" ? "-" : v }
      function pick(f, k,  v, w, x) {
        x = "-"
        while ((getline v < f) > 0) { split(v, w, " "); if (w[1] == k) { x = w[2]; break } }
        close(f)
        return x
      }
      BEGIN { for (i = 1; i < ARGC; i++) {
        d = ARGV[i]; r = substr(d, length(container_b) + 1)
        if (container_b ~ /memory$/)
          print "c", r, first("/sys/fs/cgroup/cpuacct" r "/cpuacct.usage") "n", first(d "/memory.usage_in_bytes"), \\
            pick(d "/memory.stat", "total_inactive_file"), pick(d "/memory.stat", "total_rss"), \\
            first(d "/memory.limit_in_bytes"), pick(d "/memory.oom_control", "oom_kill")
        else
          print "c", r, pick(d "/cpu.stat", "usage_usec") "u", first(d "/memory.current"), \\
            pick(d "/memory.stat", "inactive_file"), pick(d "/memory.stat", "anon"), \\
            first(d "/memory.max"), pick(d "/memory.events", "oom_kill")
        p = first(d "/cgroup.procs")
        if (p == "-") p = first(d "/container/cgroup.procs")
        f = "/proc/" p "/net/dev"
        while ((getline v < f) > 0) if (sub(/:/, " ", v)) { split(v, w, " "); if (w[1] != "lo") print "n", r, w[1], w[2], w[10] }
        close(f)
      } }' $container_now

    # What it is about to ask of an engine, by the words of its command: a list, and when something is new all of all.
    container_ask() {
      echo "e $1"
      container_l=$(lim 4 "$@" ps -n 501 --no-trunc --format 'l {{.ID}} {{.Names}}|{{.Image}}|{{.Status}}' 2>&1)
      container_c=$?
      [ "$container_c" = 0 ] || { printf "%s\\n" "f $1 $container_c $container_l"; return; }
      printf "%s\\n" "$container_l"
      [ "$container_full" ] || return
      set -- "$@" container inspect --format \\
        'i {{.Id}}|{{.RestartCount}}|{{.State.OOMKilled}}|{{json .State.StartedAt}}|{{.HostConfig.NetworkMode}}'
      container_x=
      for container_y in $container_l; do
        [ "$container_x" = l ] && set -- "$@" "$container_y"
        container_x=$container_y
      done
      lim 4 "$@"
    }
    container_n=$((container_n + 1))
    [ "$container_now" = "$container_was" ] && [ "$((container_n % 12))" != 1 ] || container_due=1
    container_full=
    if [ "$container_due" ] && [ "$((container_n - container_asked))" != 1 -o "$container_n" = 1 ]; then
      container_full=1
      container_due=
      container_asked=$container_n
    fi
    if [ "$container_full" ] || [ "$((container_n % 3))" = 1 ]; then
      container_s=
      container_no=
      for container_x in "\${DOCKER_HOST#unix://}" /var/run/docker.sock "$XDG_RUNTIME_DIR/docker.sock"; do
        # Where Podman stands in for Docker its socket is a link.
        [ -S "$container_x" ] && [ ! -h "$container_x" ] || continue
        [ -w "$container_x" ] && container_s=$container_x && break
        container_no=1
      done
      if [ "$container_s" ]; then container_ask docker -H "unix://$container_s"
      elif [ "$container_no" ]; then echo "no docker $(id -un)"
      else echo "gone docker"
      fi
    fi
    if [ "$container_full" ] || [ "$((container_n % 6))" = 1 ]; then
      container_x=
      for container_y in "\${XDG_DATA_HOME:-$HOME/.local/share}" /var/lib; do
        for container_y in "$container_y"/containers/storage/*-containers/containers.json; do [ -s "$container_y" ] && container_x=1; done
      done
      if [ "$container_x" ] && command -v podman > /dev/null; then container_ask podman
      else echo "gone podman"
      fi
    fi
  `,
  open: openContainers,
};

/** So many are told, and no more series than these make. */
const most = 500;

function openContainers(): SectionReader {
  const engines = openEngines();
  const meter = openMeter();
  return (text, into, tick) => {
    const lines = text.split("\n");
    // A line without an end may be half of one.
    if (tick.cut) lines.pop();
    const problems = [...engines.read(lines), ...(tick.cut ? ["so many containers that not all were looked at"] : [])];
    const cgroups = readCgroups(lines);
    const known = engines.known();
    // Running ones of which no engine tells: we may not ask it, or it is another user's.
    const nameless = [...cgroups.values()].filter(({ id }) => !known.has(id)).map(nameByItself);
    const all = [...known.values(), ...nameless].slice(0, most);
    into.containers(
      all.map((container) => {
        const cgroup = cgroups.get(container.id);
        const usage = meter.measure(container, cgroup, tick.machineMs);
        if (cgroup !== undefined) tellSamples(into, container, cgroup, usage.oomKills, tick);
        return tellContainer(container, cgroup, usage);
      }),
    );
    meter.keepOnly(new Set(all.map(({ id }) => id)));
    if (known.size + nameless.length > most) problems.push(`more than ${most} containers, of which ${most} are shown`);
    for (const problem of problems) into.problem(problem);
  };
}

function nameByItself({ id, engine }: Cgroup): EngineContainer {
  return { id, engine, name: id.slice(0, 12), image: "", state: "running" };
}

function tellContainer(
  container: EngineContainer,
  cgroup: Cgroup | undefined,
  usage: { readonly cpu?: number; readonly oomKills?: number },
): ToldContainer {
  const { oomKilled: _, hostNetwork: __, ...told } = container;
  const { workingSetBytes, limitBytes = 0 } = cgroup ?? {};
  return {
    ...told,
    ...usage,
    ...(workingSetBytes === undefined ? {} : { memoryBytes: workingSetBytes }),
    ...(limitBytes === 0 ? {} : { memoryLimitBytes: limitBytes }),
  };
}

/** Labels as cAdvisor gives them. */
const label = {
  plain: labelledBy("id", "image", "name"),
  cpu: labelledBy("cpu", "id", "image", "name"),
  network: labelledBy("id", "image", "interface", "name"),
};

function tellSamples(
  { sample }: SectionSink,
  { name, image, startedMs, hostNetwork }: EngineContainer,
  cgroup: Cgroup,
  oomKills: number | undefined,
  tick: SectionTick,
): void {
  const labels = label.plain(cgroup.path, image, name);
  const tell = (metric: string, value: number | undefined, of = labels) => {
    if (value !== undefined) sample(metric, value, of);
  };
  tell("container_cpu_usage_seconds_total", cgroup.cpuSeconds, label.cpu("total", cgroup.path, image, name));
  tell("container_memory_usage_bytes", cgroup.usageBytes);
  tell("container_memory_working_set_bytes", cgroup.workingSetBytes);
  tell("container_memory_rss", cgroup.rssBytes);
  tell("container_spec_memory_limit_bytes", cgroup.limitBytes);
  tell("container_oom_events_total", oomKills);
  tell("container_start_time_seconds", startedMs === undefined ? undefined : startedMs / 1_000);
  tell("container_last_seen", Math.floor(tick.machineMs / 1_000));
  // One that shares the machine's network, or may do so, is not told the machine's traffic.
  if (hostNetwork !== false) return;
  for (const { name: device, receivedBytes, sentBytes } of cgroup.network) {
    const network = label.network(cgroup.path, image, device, name);
    tell("container_network_receive_bytes_total", receivedBytes, network);
    tell("container_network_transmit_bytes_total", sentBytes, network);
  }
}
