/** The language of fed: what a lab file imports. The only door of this package. */

export { joinCommand, type SplitCommand, splitCommand } from "./command.ts";
export { type Diagnostic, type DiagnosticCode, LabError, type Place, printDiagnostic } from "./diagnostic.ts";
export type {
  CertificateDocument,
  Duration,
  EngineDocument,
  EnvironmentDocument,
  EnvironmentValue,
  ExporterDocument,
  HealthDocument,
  HttpAuth,
  IngressDocument,
  LabDocument,
  MachineDocument,
  MetricsDocument,
  PasswordAuth,
  PerEnvironment,
  RegistryDocument,
  RemoteWriteDocument,
  RunDocument,
  SecretDocument,
  ServerDocument,
  ServiceDocument,
  Size,
  TlsWord,
  VolumeDocument,
  WorkstationDocument,
} from "./document.ts";
export { docker, type EngineProps, podman } from "./kind/engine.ts";
export type { EnvironmentProps } from "./kind/environment.ts";
export type { ExporterProps } from "./kind/exporter.ts";
export { command, type HealthProps, type HealthTiming, http, tcp } from "./kind/health.ts";
export {
  type BuiltinProps,
  builtin,
  type CaddyProps,
  type CertificateProps,
  caddy,
  type IngressProps,
} from "./kind/ingress.ts";
export { type MachineProps, type ServerProps, server, type WorkstationProps, workstation } from "./kind/machine.ts";
export type { MetricsProps, RemoteWriteProps } from "./kind/metrics.ts";
export type { RegistryProps } from "./kind/registry.ts";
export { build, image, process, type RunProps } from "./kind/run.ts";
export type { SecretProps } from "./kind/secret.ts";
export type { ServiceProps, VariableProps } from "./kind/service.ts";
export { checkChange, checkLab, defineLab, isLab, type Lab, type LabProps, type LabReading, readLab } from "./lab.ts";
export { nearest } from "./nearest.ts";
export { assembleLab, type Base, type BaseProps, defineBase, definePart, type Part, type PartProps } from "./part.ts";
export { valueIn } from "./per-environment.ts";
export { hashLab, printLab } from "./print.ts";
export {
  environmentsOf,
  ingressOf,
  intervalOf,
  machineOf,
  needsOf,
  registryOf,
  scrapeTimes,
  secretsOf,
  tlsOf,
  volumeVariable,
} from "./resolve.ts";
export { hashText } from "./sha256.ts";
export { parseDuration, parseSize } from "./unit.ts";
