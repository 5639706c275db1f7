import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Host, type HostKind, makeHost } from "./host.ts";

/** Hosts of a test, on a network of their own beside this machine; all of it is gone after the test, however that ends. */
export interface Ground {
  readonly folder: string;
  /** Path of a private key that every host lets in. */
  readonly key: string;
  readonly publicKey: string;
  readonly hosts: readonly Host[];
}

const tools = [
  "ip",
  "unshare",
  "tc",
  "debootstrap",
  "ssh-keygen",
  "dropbearkey",
  "mknod",
  "ldd",
  "/usr/sbin/sshd",
  "/bin/busybox",
];

/** Why there can be no hosts here, as a part of the names of tests; "" where there can. */
export const withoutHosts = whyNot();

function whyNot(): string {
  const missing = tools.filter((tool) => spawnSync("sh", ["-c", 'command -v "$0"', tool]).status !== 0);
  if (missing.length > 0) return ` [skipped: ${missing.join(", ")} is not installed]`;
  const name = `fedtry${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name]).status === 0;
  if (made) spawnSync("ip", ["netns", "del", name]);
  return made ? "" : " [skipped: no network namespace can be made here; run as root]";
}

export async function openGround(kinds: readonly HostKind[]): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), "fed-fleet-"));
  const id = process.pid.toString(36);
  const bridge = `fedb${id}`;
  /** 198.18.0.0/15 is kept free for tests like this. */
  const network = `198.${18 + (process.pid % 2)}.${(process.pid >> 1) % 256}`;
  const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  onTestFinished(async () => {
    for (const step of undo.reverse()) await step();
  }, 60_000);
  ip("link", "add", bridge, "type", "bridge");
  undo.push(() => spawnSync("ip", ["link", "del", bridge]));
  ip("addr", "add", `${network}.1/24`, "dev", bridge);
  ip("link", "set", bridge, "up");
  const key = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const publicKey = readFileSync(`${key}.pub`, "utf8").trim();
  const hosts: Host[] = [];
  for (const [index, kind] of kinds.entries()) {
    const [namespace, cable] = [`fed-${id}-${index}`, `fedv${id}x${index}`];
    const address = `${network}.${index + 10}`;
    undo.push(() => spawnSync("ip", ["netns", "del", namespace]));
    lay(bridge, namespace, cable, `${address}/24`);
    const host = await makeHost({
      name: `h${index}`,
      ...{ kind, address, namespace, cable, folder: join(folder, `h${index}`) },
    });
    undo.push(() => host.close());
    host.authorize([publicKey]);
    hosts.push(host);
  }
  await Promise.all(hosts.map((host) => host.start()));
  return { folder, key, publicKey, hosts };
}

/** A cable from the bridge into a namespace of its own. */
function lay(bridge: string, namespace: string, cable: string, address: string): void {
  ip("netns", "add", namespace);
  ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  ip("link", "set", cable, "master", bridge, "up");
  const inside = (...words: readonly string[]) => ip("-n", namespace, ...words);
  inside("link", "set", "lo", "up");
  inside("addr", "add", address, "dev", "eth0");
  inside("link", "set", "eth0", "up");
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words);
}
