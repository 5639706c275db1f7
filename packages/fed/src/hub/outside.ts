import type { EngineDocument } from "@fed/lab";
import type { AgentKit } from "#port/agent.ts";
import type { Collector } from "#port/collector.ts";
import type { ExporterDoor } from "#port/exporter.ts";
import type { GivenCertificate, Ingress } from "#port/ingress.ts";
import type { Probe } from "#port/probe.ts";
import type { Runtime } from "#port/runtime.ts";
import type { Shell, SshNeeds } from "#port/shell.ts";
import type { CaddyDocument } from "./gates.ts";
import type { Engine } from "./service/site.ts";

/**
 * Everything outside of the hub that it works with, as its wiring asks for it. hub.ts fills it with adapters; the rest of the hub knows
 * ports alone. Who opens something closes it.
 */
export interface Outside {
  readonly probe: Probe;
  readonly collector: Collector;
  readonly kit: AgentKit;
  /** The hub's own machine, as the hub's user. */
  openHere(): Shell;
  /** Another machine; all of them share their jump hosts. */
  openSsh(machine: string, needs: SshNeeds): Shell;
  openProcesses(): Promise<Runtime & { close(): Promise<void> }>;
  openIngress(tls: OwnTls): Promise<OwnIngress>;
  /** A machine's container engine, by what the lab says of it. */
  openEngine(named: EngineDocument | undefined, place: EnginePlace, signal: AbortSignal): Promise<Engine>;
  /** A Caddy that the lab names, where the shell leads. */
  openCaddy(document: CaddyDocument, shell: Shell, certificates: () => readonly GivenCertificate[]): Ingress;
  openExporterDoor(): ExporterDoor;
}

/** What the ingress of fed itself is asked for besides the port. */
export interface OwnIngress extends Ingress {
  readonly address: { readonly port: number };
  /** Undefined while no route wants TLS. */
  readonly secureAddress: { readonly port: number } | undefined;
  close(options: { readonly deadlineMs: number }): Promise<void>;
}

/** How it takes TLS, asked again for each switch. */
export interface OwnTls {
  port(): number;
  certificates(): readonly GivenCertificate[];
}

export interface EnginePlace {
  readonly machine: string;
  readonly shell: Shell;
  /** The hub's own machine: its sockets are there by their paths. */
  readonly local: boolean;
}
