/** The lab: gathers what a person wrote, reads it, checks it, freezes it. A new noun is one more line in each list. */

import { checkMachines, checkPlacement, checkPromotion } from "./check/environment.ts";
import { checkHosts } from "./check/host.ts";
import { checkExporters, checkJumps } from "./check/machine.ts";
import { checkCycles, checkPresence, checkRun } from "./check/need.ts";
import { checkPortCollisions, checkPortUse, checkReplicas } from "./check/port.ts";
import { checkRegistries } from "./check/registry.ts";
import { checkSecrets } from "./check/secret.ts";
import { checkIngresses, checkTls } from "./check/tls.ts";
import { checkVariables } from "./check/variable.ts";
import { checkMoves, checkVolumes } from "./check/volume.ts";
import { type Diagnostic, type Finding, LabError, printPath } from "./diagnostic.ts";
import type { EnvironmentDocument, LabDocument, MachineDocument, SecretDocument, ServiceDocument } from "./document.ts";
import { type EnvironmentMap, readEnvironment } from "./kind/environment.ts";
import { type MachineProps, readMachine } from "./kind/machine.ts";
import { type MetricsProps, readMetrics } from "./kind/metrics.ts";
import { type RegistryProps, readRegistries } from "./kind/registry.ts";
import { readSecret, type SecretProps } from "./kind/secret.ts";
import { readService, type ServiceProps } from "./kind/service.ts";
import { nearestPlace, placed } from "./place.ts";
import { type Cursor, isPlainObject, type Names } from "./read/cursor.ts";
import { environmentName, label, variable } from "./read/name.ts";
import { map, optional, readFields, required } from "./read/shape.ts";

/** What a lab is, as people write it. `M`, `E`, `X`, `S`: the names of machines, environments, secrets, services. */
export interface LabProps<M extends string, E extends string, X extends string, S extends string> {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  /** What `server()` and `workstation()` return, by name. */
  readonly machines: { readonly [K in M]: MachineProps<NoInfer<M>, NoInfer<X>> };
  readonly environments: EnvironmentMap<M, E>;
  readonly secrets?: { readonly [K in X]: SecretProps<NoInfer<E>> };
  readonly services: { readonly [K in S]: ServiceProps<NoInfer<M>, NoInfer<E>, NoInfer<X>, NoInfer<S>> };
  readonly registries?: Readonly<Record<string, RegistryProps<NoInfer<X>>>>;
  readonly metrics?: MetricsProps<NoInfer<X>>;
}

/** A checked lab. Its type knows the names, so code that uses a lab can be checked too. */
export interface Lab<
  M extends string = string,
  E extends string = string,
  X extends string = string,
  S extends string = string,
> extends LabDocument {
  readonly machines: Readonly<Record<M, MachineDocument>>;
  readonly environments: Readonly<Record<E, EnvironmentDocument>>;
  readonly secrets: Readonly<Record<X, SecretDocument>>;
  readonly services: Readonly<Record<S, ServiceDocument>>;
}

/** A value read as a lab: what is wrong is in `diagnostics`; `lab` is there only when nothing of that is an error. */
export interface LabReading {
  readonly lab: LabDocument | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const readNouns = readFields<LabDocument>("a lab", {
  name: required(label("a lab")),
  machines: required(map("machines by name", label("a machine"), readMachine)),
  environments: required(map("environments by name", environmentName, readEnvironment)),
  secrets: optional(map("secrets by name", variable("a secret"), readSecret)),
  services: required(map("services by name", label("a service"), readService)),
  registries: optional(readRegistries),
  metrics: optional(readMetrics),
});

const checks: readonly ((lab: LabDocument) => readonly Finding[])[] = [
  checkMachines,
  checkJumps,
  checkExporters,
  checkPromotion,
  checkPlacement,
  checkRun,
  checkPresence,
  checkCycles,
  checkSecrets,
  checkPortCollisions,
  checkPortUse,
  checkReplicas,
  checkHosts,
  checkIngresses,
  checkTls,
  checkVolumes,
  checkVariables,
  checkRegistries,
];

function namesIn(value: unknown, key: string): ReadonlySet<string> {
  const inner = isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return new Set(isPlainObject(inner) ? Object.keys(inner).filter((name) => inner[name] !== undefined) : []);
}

function locate(written: unknown, finding: Finding): Diagnostic {
  const { code, severity = "error", path, message, hint } = finding;
  const at = nearestPlace(written, path);
  return {
    code,
    severity,
    path: printPath(path),
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  };
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}

const labs = new WeakSet<object>();

/**
 * Reads any value as a lab: one that `defineLab` would take, or a document from JSON. Never throws. The checks across
 * nouns (collisions, cycles) run on what could be read, so that all mistakes come at once.
 */
export function readLab(value: unknown): LabReading {
  const findings: Finding[] = [];
  const names: Names = {
    machine: namesIn(value, "machines"),
    environment: namesIn(value, "environments"),
    secret: namesIn(value, "secrets"),
    service: namesIn(value, "services"),
  };
  try {
    const at: Cursor = { path: [], names, findings };
    const read = readNouns(value, at)?.fields;
    const sound: LabDocument = { name: "", machines: {}, environments: {}, secrets: {}, services: {}, ...read };
    for (const check of checks) findings.push(...check(sound));
    return conclude(sound, findings, value);
  } catch (thrown) {
    // A getter or a proxy of the lab's own.
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    findings.push({ code: "wrong-type", path: [], message: `Reading the lab failed: ${reason}` });
    return conclude(undefined, findings, value);
  }
}

function conclude(lab: LabDocument | undefined, findings: readonly Finding[], written: unknown): LabReading {
  const diagnostics = freeze(findings.map((finding) => locate(written, finding)));
  if (lab === undefined || diagnostics.some(({ severity }) => severity === "error")) {
    return { lab: undefined, diagnostics };
  }
  labs.add(lab);
  return { lab: freeze(lab), diagnostics };
}

/** Everything that is wrong with a value as a lab; empty when nothing is. Warnings do not keep it from being used. */
export function checkLab(value: unknown): readonly Diagnostic[] {
  return readLab(value).diagnostics;
}

/**
 * What a new lab would break that the one before left behind: volumes whose service moves to another machine. For the
 * hub, before it takes the new lab in place of the old.
 */
export function checkChange(before: LabDocument, after: LabDocument): readonly Diagnostic[] {
  return checkMoves(before, after).map((finding) => locate(after, finding));
}

/** True for what `defineLab`, `assembleLab` or `readLab` made in this process: frozen, and found right. */
export function isLab(value: unknown): value is LabDocument {
  return typeof value === "object" && value !== null && labs.has(value);
}

/** Throws LabError with all diagnostics when one of them is an error. */
function toLab(written: unknown): LabDocument {
  const { lab, diagnostics } = readLab(written);
  if (lab === undefined) throw new LabError(diagnostics);
  return lab;
}

/**
 * A lab in one file: the default export of `lab.ts`. The keys of `machines`, `environments`, `secrets` and `services`
 * are their names; where one is referred to, the compiler knows which there are. Returns the checked document, frozen.
 * Throws LabError with everything that is wrong.
 *
 * @example
 * export default defineLab({
 *   name: "ocean",
 *   machines: { hub: server({ address: "local" }) },
 *   environments: { dev: { machines: ["hub"] } },
 *   services: {
 *     blog: { run: process("node server.mjs"), health: http("/health"), route: "blog.localhost" },
 *   },
 * });
 */
export function defineLab<
  M extends string = never,
  E extends string = never,
  X extends string = never,
  S extends string = never,
>(lab: LabProps<M, E, X, S>): Lab<M, E, X, S> {
  return toLab(placed(lab)) as Lab<M, E, X, S>;
}
