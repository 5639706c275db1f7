/** ARM's own cores, by the numbers of /proc/cpuinfo (as in the kernel's asm/cputype.h): machines with them tell no name. */
const armParts: Readonly<Record<string, string>> = {
  "0xb76": "ARM1176",
  "0xc07": "Cortex-A7",
  "0xc08": "Cortex-A8",
  "0xc09": "Cortex-A9",
  "0xc0f": "Cortex-A15",
  "0xd03": "Cortex-A53",
  "0xd04": "Cortex-A35",
  "0xd05": "Cortex-A55",
  "0xd07": "Cortex-A57",
  "0xd08": "Cortex-A72",
  "0xd09": "Cortex-A73",
  "0xd0a": "Cortex-A75",
  "0xd0b": "Cortex-A76",
  "0xd0c": "Neoverse-N1",
  "0xd40": "Neoverse-V1",
  "0xd49": "Neoverse-N2",
};

/** What the lines of /proc/cpuinfo call it, the plainest name first: `model name` is there on PCs, the rest on boards. */
export function cpuName(lines: string): string | undefined {
  const told = new Map<string, string>();
  for (const line of lines.split("\n")) {
    const colon = line.indexOf(":");
    const value = line
      .slice(colon + 1)
      .replace(/\s+/g, " ")
      .trim();
    const key = line.slice(0, Math.max(colon, 0)).trim();
    if (value !== "" && !told.has(key)) told.set(key, value.slice(0, 200));
  }
  const part = told.get("CPU part") ?? "";
  const arm = Object.hasOwn(armParts, part) ? armParts[part] : undefined;
  const board = ["cpu model", "Hardware", "system type", "machine"]
    .map((key) => told.get(key))
    .find((name) => name !== undefined);
  const power = /^\D/.test(told.get("cpu") ?? "") ? told.get("cpu") : undefined;
  return told.get("model name") ?? arm ?? power ?? board;
}
