import type { FileTexts } from "./files.ts";
import { lineOf } from "./word.ts";

const dmi = "/sys/class/dmi/id";

/** Makers and products that virtual machines are shipped with. */
const makers: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/vmware/i, "vmware"],
  [/innotek|virtualbox/i, "oracle"],
  [/xen/i, "xen"],
  [/microsoft corporation virtual machine/i, "microsoft"],
  [/amazon ec2/i, "amazon"],
  [/bhyve/i, "bhyve"],
  [/parallels/i, "parallels"],
  [/qemu|kvm|google|openstack|digitalocean|hetzner|red ?hat/i, "kvm"],
];

const signs: readonly (readonly [file: string, name: string])[] = [
  ["/run/.containerenv", "podman"],
  ["/.dockerenv", "docker"],
  ["/proc/vz", "openvz"],
  ["/proc/xen", "xen"],
];

/** As `systemd-detect-virt` names it, which is asked first; undefined on bare metal. */
export function findVirtualization(files: FileTexts): string | undefined {
  const lines = (files.get("/fed/virtualization") ?? "").split("\n").map((line) => line.trim());
  const [told = ""] = lines;
  if (told !== "hypervisor" && /^[a-z][a-z0-9-]{1,30}$/.test(told)) return told === "none" ? undefined : told;
  const container = lineOf(files.get("/run/systemd/container"));
  if (container !== undefined) return container;
  const sign = signs.find(([file]) => lines.includes(file));
  if (sign !== undefined) return sign[1];
  const product = `${lineOf(files.get(`${dmi}/sys_vendor`)) ?? ""} ${lineOf(files.get(`${dmi}/product_name`)) ?? ""}`;
  const maker = makers.find(([pattern]) => pattern.test(product));
  if (maker !== undefined) return maker[1];
  // The processor says that something is beneath it, and nobody says what.
  return lineOf(files.get("/sys/hypervisor/type")) ?? (lines.includes("hypervisor") ? "vm" : undefined);
}
