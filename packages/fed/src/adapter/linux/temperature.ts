import { readFiles } from "./files.ts";
import { labelledBy } from "./label.ts";
import type { ScriptSection } from "./section.ts";
import { lineOf, numberOf } from "./word.ts";

const chips = "/sys/class/hwmon";
const zones = "/sys/class/thermal";
/** Kernels before 3.15 have the sensors in the folder of the device. */
const sensors = ["input", "label", "max", "crit"].flatMap((kind) => [
  `${chips}/hwmon*/temp*_${kind}`,
  `${chips}/hwmon*/device/temp*_${kind}`,
]);
/** Colder or hotter is a sensor that is not connected. */
const lowest = -100;
const highest = 300;

const labels = labelledBy("chip", "sensor");
const zoneLabels = labelledBy("type", "zone");

/**
 * Sensors of chips and thermal zones. A chip is called by the device it sits on, since its number changes from one start of the
 * machine to the next.
 */
export const temperatureSection: ScriptSection = {
  name: "temperature",
  everyMs: 30_000,
  script: `
    for temperature_chip in ${chips}/hwmon*/device; do
    cd -P "$temperature_chip" && echo "chip $temperature_chip $PWD"
    done
    cd /
    show ${chips}/hwmon*/name ${sensors.join(" ")} ${zones}/thermal_zone*/type ${zones}/thermal_zone*/temp
  `,
  open() {
    return (text, into) => {
      const files = readFiles(text);
      const names = readChips(text, files);
      for (const [chip, name] of new Set(
        [...names].map(([folder, name]) => [name, lineOf(files.get(`${folder}/name`))]),
      )) {
        if (chip !== undefined && name !== undefined)
          into.sample("node_hwmon_chip_names", 1, { chip, chip_name: name });
      }
      for (const [path, content] of files) {
        const sensor = /^(\/sys\/class\/hwmon\/hwmon\d{1,5})(?:\/device)?\/(temp\d{1,3})_(input|label|max|crit)$/.exec(
          path,
        );
        const chip = names.get(sensor?.[1] ?? "");
        if (sensor !== null && chip !== undefined) {
          const [, , name = "", kind = ""] = sensor;
          const label = lineOf(content);
          if (kind === "label" && label !== undefined) {
            into.sample("node_hwmon_sensor_label", 1, { chip, label, sensor: name });
          }
          const value = kind === "label" ? undefined : degrees(content);
          const metric = kind === "input" ? "node_hwmon_temp_celsius" : `node_hwmon_temp_${kind}_celsius`;
          if (value !== undefined) into.sample(metric, value, labels(chip, name));
        }
        const zone = /^\/sys\/class\/thermal\/thermal_zone(\d{1,5})\/temp$/.exec(path)?.[1];
        const value = zone === undefined ? undefined : degrees(content);
        const type = lineOf(files.get(`${zones}/thermal_zone${zone}/type`)) ?? "";
        if (zone !== undefined && value !== undefined)
          into.sample("node_thermal_zone_temp", value, zoneLabels(type, zone));
      }
    };
  },
};

function degrees(text: string): number | undefined {
  const thousandths = numberOf(lineOf(text));
  if (thousandths === undefined) return undefined;
  const value = thousandths / 1000;
  return value >= lowest && value <= highest ? value : undefined;
}

/** Folder of a chip to its name, made as node_exporter makes it: of the device and what it is plugged into, else of its name. */
function readChips(text: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const path of files.keys()) {
    const folder = /^\/sys\/class\/hwmon\/hwmon\d{1,5}/.exec(path)?.[0];
    if (folder === undefined || names.has(folder)) continue;
    names.set(folder, cleanName(lineOf(files.get(`${folder}/name`)) ?? "") || folder.slice(chips.length + 1));
  }
  const head = text.split("\n==> ", 1)[0] ?? "";
  for (const [, folder = "", type = "", device = ""] of head.matchAll(
    /^chip (\/sys\/class\/hwmon\/hwmon\d{1,5})\/device \/(?:[^\n/]*\/)*?([^\n/]*)\/([^\n/]+)$/gm,
  )) {
    const name = [cleanName(type), cleanName(device)].filter((part) => part !== "").join("_");
    if (names.has(folder) && name !== "") names.set(folder, name);
  }
  return apart(names);
}

/** Two chips on one device, or two of one name, are told apart by their numbers: their series would be one. */
function apart(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  const apart = new Map<string, string>();
  for (const [folder, name] of names) {
    apart.set(folder, seen.has(name) ? `${name}_${folder.slice(chips.length + 1)}` : name);
    seen.add(name);
  }
  return apart;
}

function cleanName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9:_]/g, "_")
    .replace(/^_+|_+$/g, "");
}
