import type { FileTexts } from "./files.ts";
import { lineOf } from "./word.ts";

/** Lines `NAME=value` of the file that says what system this is, the value in quotes or not; Synology has a file of its own. */
export function readRelease(files: FileTexts): ReadonlyMap<string, string> {
  const text = files.get("/etc/os-release") ?? files.get("/usr/lib/os-release") ?? "";
  return readAssignments(text);
}

function readAssignments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([A-Za-z_0-9]{1,40})=(.*)$/.exec(line.trim()) ?? [];
    if (name !== "" && found.size < 100) found.set(name, unquote(value));
  }
  return found;
}

/** As a shell reads it, as far as such files go. */
function unquote(value: string): string {
  const inner = /^"(.*)"$/.exec(value)?.[1];
  if (inner !== undefined) return inner.replace(/\\(["$`\\])/g, "$1");
  return /^'(.*)'$/.exec(value)?.[1] ?? value;
}

/** What people call it. */
export function osName(files: FileTexts, release: ReadonlyMap<string, string>): string {
  const synology = readAssignments(files.get("/etc.defaults/VERSION") ?? "");
  const dsm = synology.get("productversion");
  if (dsm !== undefined) return `${synology.get("os_name") ?? "DSM"} ${dsm}-${synology.get("buildnumber") ?? ""}`;
  const name = release.get("NAME");
  const pretty = release.get("PRETTY_NAME") || (name && `${name} ${release.get("VERSION") ?? ""}`.trim());
  const openwrt = readAssignments(files.get("/etc/openwrt_release") ?? "").get("DISTRIB_DESCRIPTION");
  return pretty || openwrt || lineOf(files.get("/etc/redhat-release")) || "Linux";
}
