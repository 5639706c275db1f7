import { readFiles } from "./files.ts";
import { labelled } from "./label.ts";
import { cableEnd } from "./network.ts";
import type { ScriptSection } from "./section.ts";
import { countOf, lineOf } from "./word.ts";

const folder = "/sys/class/net";
const infoFields = ["address", "broadcast", "duplex", "ifalias", "operstate"] as const;
const files = [...infoFields, "carrier", "carrier_changes", "mtu", "speed"];

const labels = labelled("device");

/** What is plugged in where, and how fast: read more rarely, since some drivers ask the hardware for it. */
export const linkSection: ScriptSection = {
  name: "link",
  everyMs: 30_000,
  script: `show ${files.map((file) => `${folder}/*/${file}`).join(" ")}`,
  open() {
    return (text, into) => {
      for (const [device, told] of readLinks(text)) {
        const number = (file: string) => countOf(lineOf(told.get(file)));
        const tell = (metric: string, value: number | undefined) => {
          if (value !== undefined) into.sample(metric, value, labels(device));
        };
        const state = lineOf(told.get("operstate"));
        tell("node_network_up", state === undefined ? undefined : Number(state === "up"));
        tell("node_network_carrier", number("carrier"));
        tell("node_network_carrier_changes_total", number("carrier_changes"));
        tell("node_network_mtu_bytes", number("mtu"));
        const megabits = number("speed");
        // Unknown is told as -1, or as that without a sign.
        if (megabits !== undefined && megabits < 2 ** 31) tell("node_network_speed_bytes", (megabits * 1e6) / 8);
        const info = Object.fromEntries(infoFields.map((field) => [field, lineOf(told.get(field)) ?? ""]));
        into.sample("node_network_info", 1, { ...info, device });
      }
    };
  },
};

/** Interface to its files. */
function readLinks(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const links = new Map<string, Map<string, string>>();
  for (const [path, content] of readFiles(text)) {
    const [device = "", file = "", more] = path.slice(folder.length + 1).split("/");
    if (!path.startsWith(`${folder}/`) || !files.includes(file) || more !== undefined || cableEnd.test(device))
      continue;
    const link = links.get(device) ?? new Map<string, string>();
    link.set(file, content);
    links.set(device, link);
  }
  return links;
}
