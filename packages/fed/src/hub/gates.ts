import { type IngressDocument, ingressOf, type LabDocument } from "@fed/lab";
import type { Ingress } from "#port/ingress.ts";
import type { Shell } from "#port/shell.ts";
import type { Gate, GateLook } from "./service/routing.ts";
import type { WantedService } from "./service/wanted.ts";

export type CaddyDocument = Extract<IngressDocument, { readonly kind: "caddy" }>;

export interface MachineGatesNeeds {
  /** What the lab says now of what leads requests to a machine. */
  ingressOf(machine: string): IngressDocument | undefined;
  openShell(machine: string): Shell;
  openCaddy(document: CaddyDocument, shell: Shell, machine: string): Ingress;
  /** Looks at the certificates that the lab gives to that machine's. */
  look(machine: string): Promise<GateLook>;
}

/** The ingresses that machines have of their own. */
export interface MachineGates {
  /** Undefined: the hub's own leads there. */
  of(machine: string): Gate | undefined;
  close(): Promise<void>;
}

interface Known {
  readonly gate: Gate & { version: string };
  readonly shell: Shell;
  current: Ingress;
}

/** A machine keeps its gate while the lab says other things of it: who has gone is asked once more, to let go of its routes. */
export function makeMachineGates(needs: MachineGatesNeeds): MachineGates {
  const gates = new Map<string, Known>();

  function open(machine: string, document: CaddyDocument, version: string): Known {
    const shell = needs.openShell(machine);
    const known: Known = {
      shell,
      current: needs.openCaddy(document, shell, machine),
      gate: { machine, version, ingress: following(() => known.current), look: () => needs.look(machine) },
    };
    gates.set(machine, known);
    return known;
  }

  return {
    of(machine) {
      const document = needs.ingressOf(machine);
      if (document?.kind !== "caddy") return undefined;
      const version = JSON.stringify(document);
      const known = gates.get(machine) ?? open(machine, document, version);
      if (known.gate.version !== version) {
        known.current = needs.openCaddy(document, known.shell, machine);
        known.gate.version = version;
      }
      return known.gate;
    },
    async close() {
      await Promise.all(Array.from(gates.values(), ({ shell }) => shell.close()));
    },
  };
}

/** One ingress in front of whichever is there now. */
function following(current: () => Ingress): Ingress {
  return {
    get name() {
      return current().name;
    },
    get features() {
      return current().features;
    },
    apply: (routes, signal) => current().apply(routes, signal),
    drain: (instance, deadlineMs, signal) => current().drain(instance, deadlineMs, signal),
    status: (signal) => current().status(signal),
  };
}

/** The port for TLS of the hub's own ingress, as the lab says it now; beside that for plain HTTP where the lab names none. */
export function ownTlsPort(document: LabDocument, httpPort: number): number {
  // Of no machine: what leads to that is the hub's own.
  return ingressOf(document, "").ingress.httpsPort ?? portBeside(httpPort);
}

/** 80 has 443 beside it, 8080 has 8443, and any free one has any free one. */
function portBeside(httpPort: number): number {
  const beside = httpPort + 443 - 80;
  return httpPort === 0 || beside > 65_535 ? 0 : beside;
}

/** Where people reach a service by its host name. */
export function serviceUrl(
  { route, tls }: Pick<WantedService, "route" | "tls">,
  document: IngressDocument | undefined,
  own: { readonly http: number; readonly https: number | undefined },
): string | undefined {
  if (route === undefined) return undefined;
  const ports = document?.kind === "caddy" ? { http: document.httpPort ?? 80, https: document.httpsPort ?? 443 } : own;
  const secure = tls !== undefined && ports.https !== undefined;
  const [scheme, port, usual] = secure ? ["https", ports.https, 443] : ["http", ports.http, 80];
  return port === usual ? `${scheme}://${route}` : `${scheme}://${route}:${port}`;
}
