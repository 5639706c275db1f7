import { Fault } from "#base/fault.ts";
import { labelledBy } from "./label.ts";
import type { ScriptSection, SectionReader } from "./section.ts";
import { shown } from "./shown.ts";

/** What is asked of NVIDIA's GPUs, and the name that NVIDIA's own exporter (DCGM) gives it; its units are DCGM's, too. */
const fields = [
  ["utilization.gpu", "DCGM_FI_DEV_GPU_UTIL"],
  ["utilization.memory", "DCGM_FI_DEV_MEM_COPY_UTIL"],
  ["memory.used", "DCGM_FI_DEV_FB_USED"],
  ["memory.free", "DCGM_FI_DEV_FB_FREE"],
  ["temperature.gpu", "DCGM_FI_DEV_GPU_TEMP"],
  ["power.draw", "DCGM_FI_DEV_POWER_USAGE"],
  ["clocks.sm", "DCGM_FI_DEV_SM_CLOCK"],
  ["clocks.mem", "DCGM_FI_DEV_MEM_CLOCK"],
  ["utilization.encoder", "DCGM_FI_DEV_ENC_UTIL"],
  ["utilization.decoder", "DCGM_FI_DEV_DEC_UTIL"],
] as const;

/**
 * NVIDIA's GPUs. The command begins with waking the driver, so it is not asked often.
 *
 * What it says: a line of values for each, after its number, UUID and name; fields that an old command does not know are asked for apart,
 * in a second try without them.
 */
export const gpuSection: ScriptSection = {
  name: "gpu",
  everyMs: 30_000,
  script: `
    command -v nvidia-smi > /dev/null || return 0
    gpu_fields=${["index", "uuid", "name", ...fields.map(([field]) => field)].join(",")}
    lim 4 nvidia-smi --query-gpu="$gpu_fields" --format=csv,noheader,nounits && return
    lim 4 nvidia-smi --query-gpu="\${gpu_fields%,utilization.encoder*}" --format=csv,noheader,nounits
  `,
  open: openGpus,
};

const most = 32;

const labels = labelledBy("UUID", "device", "gpu", "modelName");

function openGpus(): SectionReader {
  return (text, into, tick) => {
    if (tick.code !== 0) throw new Fault("invalid", complain(text, tick.code));
    let count = 0;
    for (const line of text.split("\n")) {
      const [, gpu, uuid = "", name = "", rest = ""] =
        /^(\d{1,3}), (GPU-[\w-]{1,64}), ([^,]{0,100}), (.*)$/.exec(line) ?? [];
      if (gpu === undefined || ++count > most) continue;
      const of = labels(uuid, `nvidia${gpu}`, gpu, shown(name, 100));
      const values = rest.split(", ");
      // What it does not have is "[N/A]" or "[Not Supported]".
      for (const [i, [, metric]] of fields.entries()) {
        const value = values[i] ?? "";
        if (/^-?\d{1,9}(?:\.\d{1,4})?$/.test(value)) into.sample(metric, Number(value), of);
      }
    }
    if (count > most) into.problem(`${count} GPUs, of which ${most} are told`);
  };
}

function complain(text: string, code: number): string {
  if (code === 124 || code === 137) return "nvidia-smi did not answer within 4 s";
  if (code === 125) return "nvidia-smi is not asked: the machine has no command timeout";
  if (code === 9 || /couldn't communicate with the NVIDIA driver/.test(text)) return "NVIDIA's driver is not loaded";
  return `nvidia-smi failed: ${shown(text, 200) || `code ${code}`}`;
}
