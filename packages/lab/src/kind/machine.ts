/** A machine: a server, which should always be there, or a workstation, which may be away. */

import type { Duration, MachineDocument, ServerDocument, WorkstationDocument } from "../document.ts";
import { placed } from "../place.ts";
import { type Cursor, type Read, report } from "../read/cursor.ts";
import { duration, number, reference, text } from "../read/scalar.ts";
import { byKind, constant, map, object, optional, required } from "../read/shape.ts";
import { type docker, type podman, readEngine } from "./engine.ts";
import { type ExporterProps, readExporters } from "./exporter.ts";
import { type IngressProps, readIngress } from "./ingress.ts";
import type { SecretName } from "./secret.ts";

/** What servers and workstations have in common. `M` and `X`: the machines and secrets it refers to. */
interface CommonProps<M extends string, X extends string> {
  /** Port of SSH, 1 to 65535; 22 when left out. */
  readonly port?: number;
  /** Who logs in by SSH; the hub's own user when left out. */
  readonly user?: string;
  /** Path of an SSH private key, absolute or relative to the lab's folder. */
  readonly key?: string;
  /** Another machine of the lab, through which SSH reaches this one. */
  readonly jump?: M;
  /** Between two looks at it, `"1s"` to `"1h"`; `"10s"` when left out. While somebody watches it, it is looked at every second. */
  readonly every?: Duration;
  /**
   * What tells of it in Prometheus' way, by name, which becomes the label `job`: `{ node: "http://192.168.1.5:9100/metrics" }`, or
   * `{ unpoller: { url, every: "30s" } }`.
   */
  readonly exporters?: Readonly<Record<string, `http://${string}` | `https://${string}` | ExporterProps<X>>>;
  /** What runs its containers: `docker()` or `podman()`. When left out it is whichever of them answers at its usual socket. */
  readonly engine?: ReturnType<typeof docker> | ReturnType<typeof podman>;
  /**
   * What leads requests for host names to the services on it: `caddy({ tls: "acme" })`. When left out that is fed's own ingress, which
   * runs in the hub; `builtin({ … })` says how it serves TLS.
   */
  readonly ingress?: IngressProps;
  /** Facts about it, for people and for choosing machines: `{ gpu: "rtx3090" }`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * What a server is. A machine in a lab is what `server()` or `workstation()` returns.
 *
 * @example
 * machines: {
 *   hub:   server({ address: "local" }),
 *   node5: server({ address: "192.168.1.5", user: "fed", labels: { gpu: "rtx3090" } }),
 *   nas:   server({ address: "10.8.0.7", jump: "node5", exporters: { node: "http://10.8.0.7:9100/metrics" } }),
 *   mbp:   workstation({ tailscale: "darrens-mbp" }),
 * }
 */
export interface ServerProps<M extends string = string, X extends string = string> extends CommonProps<M, X> {
  /** `"local"` is the machine the hub runs on; otherwise a host name or an IP address, without user and port. */
  readonly address: string;
}

/** What a workstation is: has an address, a tailscale name, or both. */
export interface WorkstationProps<M extends string = string, X extends string = string> extends CommonProps<M, X> {
  /** A host name or an IP address, without user and port. */
  readonly address?: string;
  /** Its name in the tailnet. */
  readonly tailscale?: string;
}

type WrittenServer<M extends string, X extends string> = ServerProps<M, X> & Pick<ServerDocument, "kind">;
type WrittenWorkstation<M extends string, X extends string> = WorkstationProps<M, X> &
  Pick<WorkstationDocument, "kind">;

/** What `server()` and `workstation()` return, in a lab that has the machines `M` and the secrets `X`. */
export type MachineProps<M extends string = string, X extends string = string> =
  | WrittenServer<M, SecretName<X>>
  | WrittenWorkstation<M, SecretName<X>>;

// `NoInfer` in what is returned: the names come from what is written here alone, and are checked where the lab is defined.

/** A machine that should always be there; fed tells you when it is not. */
export function server<M extends string = never, X extends string = never>(
  props: ServerProps<M, X>,
): WrittenServer<NoInfer<M>, NoInfer<X>> {
  return placed({ ...props, kind: "server" });
}

/** A machine that may be away: a laptop, a desktop that sleeps. Never an offline alert. */
export function workstation<M extends string = never, X extends string = never>(
  props: WorkstationProps<M, X>,
): WrittenWorkstation<NoInfer<M>, NoInfer<X>> {
  return placed({ ...props, kind: "workstation" });
}

function addressHint(address: string): string | undefined {
  if (address.includes("@")) return "Write the user under `user`.";
  if (address.includes("://") || address.includes("/")) return "Write the host name or the IP address alone.";
  if (/:\d+$/.test(address)) return "Write the port under `port`.";
  return undefined;
}

/** A host name, an IPv4 or an IPv6 address. Never begins with a dash, which a program could take for an option. */
const address = text({
  what: "a host name or an IP address",
  pattern: /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?)$/,
  hint: addressHint,
  longest: 253,
});

const common = {
  port: optional(number({ what: "a port", min: 1, max: 65_535, whole: true })),
  user: optional(text({ what: "a user name", pattern: /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, longest: 64 })),
  key: optional(text({ what: "the path of a key", pattern: /^[^-\n][^\n]*$/, longest: 4096 })),
  jump: optional(reference("machine")),
  every: optional(duration("1s", "1h")),
  exporters: optional(readExporters),
  engine: optional(readEngine),
  ingress: optional(readIngress),
  labels: optional(
    map(
      'labels, such as { gpu: "rtx3090" }',
      text({ what: "the name of a label", pattern: /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/ }),
      text({ what: "the text of a label", empty: true, longest: 1024 }),
    ),
  ),
};

const readServer = object<ServerDocument>("a server", {
  kind: required(constant("server")),
  address: required(address),
  ...common,
});

const readWorkstation = object<WorkstationDocument>("a workstation", {
  kind: required(constant("workstation")),
  address: optional(address),
  tailscale: optional(text({ what: "a name in the tailnet", pattern: /^[A-Za-z0-9][A-Za-z0-9.-]*$/, longest: 253 })),
  ...common,
});

function readReachableWorkstation(value: unknown, at: Cursor): WorkstationDocument | undefined {
  const errorsBefore = at.findings.length;
  const machine = readWorkstation(value, at);
  if (machine === undefined || machine.address !== undefined || machine.tailscale !== undefined) return machine;
  if (at.findings.length > errorsBefore) return undefined; // What would reach it is there, but wrong.
  return report(at, "missing-key", 'A workstation needs "address" or "tailscale".', "How else would fed reach it?");
}

export const readMachine: Read<MachineDocument> = byKind("server({ … }) or workstation({ … })", {
  server: readServer,
  workstation: readReachableWorkstation,
});
