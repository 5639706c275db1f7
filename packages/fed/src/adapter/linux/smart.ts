import { z } from "zod";
import type { ToldStorage } from "#port/collector.ts";
import { labelled, labelledBy } from "./label.ts";
import type { ScriptSection, SectionReader, SectionSink } from "./section.ts";
import { ownText, shown } from "./shown.ts";

/**
 * What disks say of themselves (SMART), where we may ask them: as root, or where sudo lets us run smartctl without a password; whether it
 * does is tried once. A disk that sleeps is not woken: it is told as it was.
 *
 * What it says: `disk /dev/NAME TYPE`, then a JSON object of smartctl in one line.
 */
export const smartSection: ScriptSection = {
  name: "smart",
  everyMs: 600_000,
  slow: true,
  script: `
    command -v smartctl > /dev/null || return 0
    if [ -z "$smart_how" ]; then
      smart_how=no
      if [ "$(id -u)" = 0 ]; then smart_how=smartctl
      elif command -v sudo > /dev/null && lim 4 sudo -n smartctl --version > /dev/null; then smart_how='sudo -n smartctl'
      fi
    fi
    [ "$smart_how" = no ] && return 0
    smart_list=$(lim 4 $smart_how --scan)
    # Lines are DEVICE -d TYPE # REMARK; names and types have no spaces.
    while read -r smart_device smart_d smart_type smart_x; do
      [ "$smart_d" = -d ] || continue
      echo "disk $smart_device $smart_type"
      # A disk that hangs may be the first of many.
      lim 4 $smart_how -n standby -i -H -A --json=c -d "$smart_type" "$smart_device" < /dev/null
      [ $? = 137 ] && break
      echo
    done <<END
$smart_list
END
    return 0
  `,
  open: openSmart,
};

const most = 60;

const answerShape = z.object({
  model_name: z.string().catch(""),
  serial_number: z.string().catch(""),
  user_capacity: z.object({ bytes: z.number() }).optional().catch(undefined),
  smart_status: z.object({ passed: z.boolean() }).optional().catch(undefined),
  temperature: z.object({ current: z.number() }).optional().catch(undefined),
  power_on_time: z.object({ hours: z.number() }).optional().catch(undefined),
  ata_smart_attributes: z
    .object({
      table: z.array(
        z.object({
          id: z.number(),
          name: z.string(),
          when_failed: z.string().catch(""),
          raw: z.object({ value: z.number() }),
        }),
      ),
    })
    .optional()
    .catch(undefined),
  nvme_smart_health_information_log: z
    .object({
      critical_warning: z.number(),
      available_spare: z.number(),
      available_spare_threshold: z.number(),
      percentage_used: z.number(),
      media_errors: z.number(),
    })
    .partial()
    .optional()
    .catch(undefined),
});
type Answer = z.infer<typeof answerShape>;

/** Attributes that tell of a disk that begins to fail, in plain words. Raw values of others are the maker's secret. */
const omens = new Map([
  [5, "sectors were replaced"],
  [187, "errors were not mended"],
  [197, "sectors wait to be replaced"],
  [198, "sectors cannot be read"],
]);

function openSmart(): SectionReader {
  let known = new Map<string, { readonly told: ToldStorage; readonly answer: Answer }>();
  return (text, into, tick) => {
    const now: typeof known = new Map();
    const lines = text.split("\n");
    for (let i = 0; i < lines.length && now.size < most; i++) {
      const [, place, type = ""] = /^disk \/dev\/([\w/.-]{1,64})(?: ([\w,+-]{1,64}))?$/.exec(lines[i] ?? "") ?? [];
      if (place === undefined) continue;
      // Disks behind a controller (`megaraid,4`) are all called as that is.
      const device = ownText(type.includes(",") ? `${place}_${type}` : place);
      const answer = readAnswer(lines[i + 1] ?? "");
      // One that sleeps says so instead.
      const entry =
        answer?.smart_status === undefined && !answer?.model_name
          ? known.get(device)
          : answer && { told: tellDisk(device, answer), answer };
      if (entry !== undefined) now.set(device, entry);
    }
    known = now;
    for (const [device, { answer }] of now) tellSamples(into, device, answer);
    if (now.size > 0) into.storage([...now.values()].map(({ told }) => told));
    if (tick.cut || now.size === most) into.problem("so many disks that not all are shown");
  };
}

function readAnswer(line: string): Answer | undefined {
  try {
    return answerShape.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** What speaks for its end, worst first. */
function findOmens({ ata_smart_attributes: ata, nvme_smart_health_information_log: nvme }: Answer): readonly string[] {
  const found: string[] = [];
  for (const { id, raw, when_failed } of ata?.table ?? []) {
    const words = omens.get(id);
    if (words !== undefined && raw.value > 0) found.push(`${raw.value} ${words}`);
    else if (when_failed === "now") found.push(`attribute ${id} is below its threshold`);
  }
  const {
    critical_warning = 0,
    available_spare = 100,
    available_spare_threshold = 0,
    percentage_used = 0,
    media_errors = 0,
  } = nvme ?? {};
  if (critical_warning !== 0) found.push("warns of itself");
  if (available_spare < available_spare_threshold) found.push(`only ${available_spare} % of its spare is left`);
  if (media_errors > 0) found.push(`${media_errors} errors of its memory`);
  if (percentage_used >= 100) found.push("worn out by its maker's measure");
  return found;
}

function tellDisk(device: string, answer: Answer): ToldStorage {
  const { smart_status, model_name, temperature, nvme_smart_health_information_log: nvme } = answer;
  const found = findOmens(answer);
  const health =
    smart_status?.passed === false
      ? "bad"
      : found.length > 0
        ? "warning"
        : smart_status === undefined
          ? "unknown"
          : "good";
  const parts = [
    ...(health === "bad" ? ["says that it fails"] : []),
    ...found,
    shown(model_name, 80),
    ...(temperature === undefined ? [] : [`${temperature.current} °C`]),
    ...(nvme?.percentage_used === undefined || nvme.percentage_used >= 100 ? [] : [`${nvme.percentage_used} % worn`]),
  ];
  return { kind: "disk", name: device, health, detail: parts.filter((part) => part !== "").join(", ") };
}

const labels = {
  device: labelled("device"),
  temperature: labelledBy("device", "temperature_type"),
  attribute: labelledBy("attribute_id", "attribute_name", "attribute_value_type", "device"),
  info: labelledBy("device", "model_name", "serial_number"),
};

/** Names of prometheus-community's smartctl_exporter. */
function tellSamples({ sample }: SectionSink, device: string, answer: Answer): void {
  const of = labels.device(device);
  const tell = (metric: string, value: number | undefined, with_ = of) => {
    if (value !== undefined) sample(metric, value, with_);
  };
  const {
    smart_status,
    temperature,
    power_on_time,
    user_capacity,
    ata_smart_attributes,
    nvme_smart_health_information_log: nvme,
  } = answer;
  tell("smartctl_device", 1, labels.info(device, shown(answer.model_name, 80), shown(answer.serial_number, 80)));
  tell("smartctl_device_smart_status", smart_status && Number(smart_status.passed));
  tell("smartctl_device_temperature", temperature?.current, labels.temperature(device, "current"));
  tell("smartctl_device_power_on_seconds", power_on_time && power_on_time.hours * 3_600);
  tell("smartctl_device_capacity_bytes", user_capacity?.bytes);
  tell("smartctl_device_critical_warning", nvme?.critical_warning);
  tell("smartctl_device_available_spare", nvme?.available_spare);
  tell("smartctl_device_available_spare_threshold", nvme?.available_spare_threshold);
  tell("smartctl_device_percentage_used", nvme?.percentage_used);
  tell("smartctl_device_media_errors", nvme?.media_errors);
  for (const { id, name, raw } of ata_smart_attributes?.table.slice(0, 40) ?? []) {
    if (omens.has(id))
      tell("smartctl_device_attribute", raw.value, labels.attribute(String(id), shown(name, 40), "raw", device));
  }
}
