import { Fault } from "#base/fault.ts";
import type { ToldUnit } from "#port/collector.ts";
import { labelled, labelledBy } from "./label.ts";
import type { ScriptSection, SectionReader, SectionSink } from "./section.ts";
import { ownText, shown } from "./shown.ts";
import { wholeOf } from "./word.ts";

/**
 * Units of systemd. One call lists their states and costs little however many there are; what each service used, how often it was
 * restarted and of what type it is costs a millisecond a service, so it is asked for every tenth time, of those that run or failed.
 *
 * What it says: `systemctl list-units` (NAME LOAD ACTIVE SUB DESCRIPTION), now and then a line `show` and `systemctl show`
 * (PROPERTY=VALUE, an empty line between units). Nothing where systemd does not run.
 */
export const unitSection: ScriptSection = {
  name: "unit",
  everyMs: 30_000,
  script: `
    [ -d /run/systemd/system ] || return 0
    lim 4 systemctl list-units --all --plain --no-legend --no-pager --full --type=service,mount,timer,socket,swap,automount,path
    unit_code=$?
    unit_n=$((unit_n + 1))
    [ $((unit_n % 10)) = 1 ] || return $unit_code
    echo show
    lim 4 systemctl show '*.service' --no-pager -p Id -p Type -p Restart -p NRestarts -p MemoryCurrent -p CPUUsageNSec
    return $unit_code
  `,
  open: openUnits,
};

/** So many are told. */
const most = 1_000;
const states = ["activating", "active", "deactivating", "failed", "inactive"] as const;

interface Listed {
  readonly name: string;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly description: string;
}

/** What the rare call tells of a service. */
interface Known {
  readonly type: string;
  readonly restarted: boolean;
  readonly restarts: number;
  readonly memoryBytes: number | undefined;
  readonly cpuSeconds: number | undefined;
}

const labels = { state: labelledBy("name", "state", "type"), restart: labelled("name") };

function openUnits(): SectionReader {
  let known: ReadonlyMap<string, Known> = new Map();
  /** Of each unit, the states it was ever in, a bit for each. */
  let been: ReadonlyMap<string, number> = new Map();
  return (text, into, tick) => {
    // Where systemd does not run there is nothing to tell.
    if (text === "" && tick.code === 0) return;
    const [list = "", show] = text.split(/^show\n/m);
    const units = list.split("\n").flatMap(readUnit);
    if (units.length === 0) throw new Fault("invalid", tellCode(tick.code));
    if (show !== undefined) known = readShow(show);
    // A unit of another type says something only when it is in trouble.
    const services = units.filter(
      ({ name, load, active }) => active === "failed" || (isService(name) && load === "loaded"),
    );
    const told = services.slice(0, most);
    into.units(told.map((unit) => tellUnit(unit, known.get(unit.name))));
    const now = new Map<string, number>();
    for (const unit of told) {
      const bits = (been.get(unit.name) ?? 0) | bitOf(unit.active);
      now.set(unit.name, bits);
      tellState(into, unit, bits, known.get(unit.name));
    }
    been = now;
    for (const state of states) {
      into.sample("node_systemd_units", units.filter(({ active }) => active === state).length, summary[state]);
    }
    if (services.length > most) into.problem(`${services.length} units, of which ${most} are shown`);
    else if (tick.cut) into.problem("so many units that not all are shown");
  };
}

const summary = {
  activating: { state: "activating" },
  active: { state: "active" },
  deactivating: { state: "deactivating" },
  failed: { state: "failed" },
  inactive: { state: "inactive" },
} as const;

const bitOf = (state: string) => 1 << (states.indexOf(state as (typeof states)[number]) + 1);

function isService(name: string): boolean {
  return name.endsWith(".service");
}

function tellCode(code: number): string {
  if (code === 137 || code === 124) return "systemd did not answer within 4 s";
  if (code === 125) return "systemd is not asked: the machine has no command timeout";
  return `systemctl did not tell of units (code ${code})`;
}

/** Names have no spaces; a dot stands before what is not as it should be in some versions. */
function readUnit(line: string): readonly Listed[] {
  const [, name, load = "", active = "", sub = "", description = ""] =
    /^(?:[●*x○↻×] )? *(\S+\.[a-z]+) +([a-z-]+) +([a-z-]+) +([a-z-]+)(?: +(.*))?$/u.exec(line) ?? [];
  if (name === undefined || name.length > 256) return [];
  return [{ name: ownText(name), load, active, sub, description: shown(description, 300) }];
}

function readShow(text: string): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  for (const block of text.split("\n\n")) {
    const values = new Map(
      block.split("\n").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
    );
    const name = values.get("Id");
    if (name === undefined || known.size >= most) continue;
    const cpu = count(values.get("CPUUsageNSec"));
    known.set(ownText(name), {
      type: ownText(/^[a-z-]{1,20}$/.exec(values.get("Type") ?? "")?.[0] ?? ""),
      restarted: (values.get("Restart") ?? "no") !== "no",
      restarts: wholeOf(count(values.get("NRestarts")) ?? 0),
      memoryBytes: count(values.get("MemoryCurrent")),
      cpuSeconds: cpu === undefined ? undefined : cpu / 1e9,
    });
  }
  return known;
}

/** What is not counted is `[not set]`, `infinity` or, in old versions, the largest number there is. */
function count(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : undefined;
  return value === undefined || value >= 2 ** 63 ? undefined : value;
}

function tellUnit({ name, description, active, sub }: Listed, known: Known | undefined): ToldUnit {
  const { restarts = 0, memoryBytes, cpuSeconds } = known ?? {};
  return {
    name,
    description,
    active: ownText(active),
    sub: ownText(sub),
    restarts,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
  };
}

/**
 * As node_exporter does, but not five series of each unit: whether it is active, and the other states that it was seen in. A rule that
 * waits for a state to be 1 hears the same, and so does one that waits for its end.
 */
function tellState({ sample }: SectionSink, { name, active }: Listed, been: number, known: Known | undefined): void {
  for (const state of states) {
    if (state !== "active" && (been & bitOf(state)) === 0) continue;
    sample("node_systemd_unit_state", active === state ? 1 : 0, labels.state(name, state, known?.type ?? ""));
  }
  if (known !== undefined && (known.restarted || known.restarts > 0)) {
    sample("node_systemd_service_restart_total", known.restarts, labels.restart(name));
  }
}
