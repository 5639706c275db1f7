/** The language of fed: what a lab file imports. The only door of this package. */

export { joinCommand, type SplitCommand, splitCommand } from "./command.ts";
export { type Diagnostic, type DiagnosticCode, LabError, type Place, printDiagnostic } from "./diagnostic.ts";
export type {
  Duration,
  EnvironmentDocument,
  EnvironmentValue,
  ExporterDocument,
  HealthDocument,
  HttpAuth,
  LabDocument,
  MachineDocument,
  MetricsDocument,
  PerEnvironment,
  RemoteWriteDocument,
  RunDocument,
  SecretDocument,
  ServerDocument,
  ServiceDocument,
  Size,
  VolumeDocument,
  WorkstationDocument,
} from "./document.ts";
export type { EnvironmentProps } from "./kind/environment.ts";
export type { ExporterProps } from "./kind/exporter.ts";
export { command, type HealthProps, type HealthTiming, http, tcp } from "./kind/health.ts";
export { type MachineProps, type ServerProps, server, type WorkstationProps, workstation } from "./kind/machine.ts";
export type { MetricsProps, RemoteWriteProps } from "./kind/metrics.ts";
export { build, image, process, type RunProps } from "./kind/run.ts";
export type { SecretProps } from "./kind/secret.ts";
export type { ServiceProps, VariableProps } from "./kind/service.ts";
export { checkChange, checkLab, defineLab, isLab, type Lab, type LabProps, type LabReading, readLab } from "./lab.ts";
export { nearest } from "./nearest.ts";
export { assembleLab, type Base, type BaseProps, defineBase, definePart, type Part, type PartProps } from "./part.ts";
export { valueIn } from "./per-environment.ts";
export { hashLab, printLab } from "./print.ts";
export { environmentsOf, intervalOf, machinesOf, needsOf, scrapeTimes, volumeVariable } from "./resolve.ts";
export { hashText } from "./sha256.ts";
export { parseDuration, parseSize } from "./unit.ts";
